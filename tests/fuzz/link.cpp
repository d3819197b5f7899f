// A link by which a person connects an account later. The input is a link that nobody made; it is
// also tried as the session and the service of one that we made.
#include "require.h"

#include "tests/support/samples.h"

#include "consentgate/core/upstream/upstream.h"

using namespace consentgate;
using tests::require;

namespace {

const std::string fresh(22, 'f');

const core::Keyring& keyring() {
    static const auto made = tests::sample_keyring();
    return made;
}

bool good(const std::string& text, const core::ServiceId& service, core::Instant now) {
    const auto link = core::validate_link(text, service, keyring(), now);
    if (!link) {
        require(
            link.error().code == core::ErrorCode::invalid_link && !link.error().back,
            "a refusal is a bad link and nothing more");
        return false;
    }
    require(link->service == service && link->expires_at > now, "a good link is for now");
    require(link->digest == core::sha256(text), "a good link is known by all of its text");
    return true;
}

void look_at_ours(const core::SessionId& session, const core::ServiceId& service) {
    const auto link = core::make_link(session, service, fresh, keyring(), tests::noon).reveal();
    if (link.size() > 400) return;
    require(good(link, service, tests::noon), "what we made is good");
    const auto read = core::validate_link(link, service, keyring(), tests::noon);
    require(
        read->session == session && read->expires_at == tests::noon + core::link_lifetime,
        "a link says what was written into it");
    require(!good(link, service, tests::noon + core::link_lifetime), "a link ends");
    require(
        !good(link, core::ServiceId(service.text + "x"), tests::noon), "a link is for one service");
    for (std::size_t at = 0; at < link.size(); at += 1 + link.size() / 24) {
        auto changed = link;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        require(!good(changed, service, tests::noon), "no character of a link can be changed");
        require(!good(link.substr(0, at), service, tests::noon), "no part of a link is good");
    }
    require(!good(link + ".", service, tests::noon), "nothing can be added to a link");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(tests::text_of_input(data, size));
    require(
        !good(text, core::ServiceId("notion"), tests::noon), "nobody else can make a link of ours");
    // Ids are of these characters, so that the parts of a link stay apart.
    const auto cut = std::min(text.find('/'), text.size());
    const auto session = text.substr(0, cut), service = text.substr(std::min(cut + 1, text.size()));
    if (core::is_base64url(session) && core::is_base64url(service))
        look_at_ours(core::SessionId(session), core::ServiceId(service));
    return 0;
}
