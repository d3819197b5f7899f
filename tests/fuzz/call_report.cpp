// The line of a web server about a call, with the id of the call in it.
#include "require.h"

#include "tests/support/samples.h"

#include "consentgate/core/upstream/account_doubt.h"

using namespace consentgate;
using tests::require;

namespace {

const core::Keyring& keyring() {
    static const auto made = tests::sample_keyring();
    return made;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string line(tests::text_of_input(data, size));
    require(!core::read_call_id(line, keyring()), "nobody else can make the id of a call");
    const auto report = core::read_call_report(line);
    if (!report) return 0;
    require(line.find(report->call) != std::string::npos, "a call's id stands in its line");
    require(report->status >= 100 && report->status <= 999, "a status has three digits");
    require(report->challenge.size() <= 2048, "a challenge is cut");
    require(
        report->status == 401 || core::token_refusal(*report) == core::TokenRefusal::none,
        "a 401 alone refuses a token");
    if (!core::is_base64url(report->call) || report->call.size() > 64) return 0;
    const core::CalledAccount called{report->call, report->status};
    const auto id = core::call_id(called, keyring());
    require(core::read_call_id(id, keyring()) == called, "what we made is ours");
    require(!core::read_call_id(id + "A", keyring()), "nothing can be added to an id");
    return 0;
}
