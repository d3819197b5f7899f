// The file of server keys. The input is its content.
#include "require.h"

#include "tests/support/counting_random.h"
#include "tests/support/temp_folder.h"

#include "consentgate/core/base/text.h"
#include "consentgate/sys/key_file.h"

#include <algorithm>
#include <optional>
#include <vector>

using namespace consentgate;
using tests::require;

namespace {

// Operators paste errors into reports, so an error has words of ours only, and the key's number.
void look_at_error(std::string words) {
    words.erase(
        std::remove_if(words.begin(), words.end(), [](char c) { return c >= '0' && c <= '9'; }),
        words.end());
    static const std::vector<std::string> ours{
        "it holds no key", "key number  is not a line of `id key`",
        "key number  is not  bytes of baseurl", "key number  has the id of one before it"};
    require(
        std::find(ours.begin(), ours.end(), words) != ours.end(),
        "an error repeats nothing of the file");
}

std::optional<core::Keyring> read(const std::string& path) {
    try {
        return sys::read_key_file(path);
    } catch (const std::runtime_error& error) {
        const std::string text(error.what());
        require(text.starts_with(path + ": "), "an error names the file");
        look_at_error(text.substr(path.size() + 2));
        return std::nullopt;
    }
}

void look_at(const core::Keyring& keyring) {
    require(!keyring.keys().empty(), "a key file holds a key");
    for (const auto& key : keyring.keys()) {
        require(key.bytes.reveal().size() == 32, "a key has 32 bytes");
        require(
            core::is_base64url(key.id.text) && key.id.text.size() <= 64, "an id is a short word");
    }
}

// A key is added, put into use and removed again, and the others stay as they were.
void look_at_changes(const std::string& path, const core::Keyring& before) {
    tests::CountingRandom random;
    const auto same = [&](const core::Keyring& now) {
        if (now.keys().size() != before.keys().size()) return false;
        for (std::size_t at = 0; at < now.keys().size(); ++at)
            if (now.keys()[at].id != before.keys()[at].id ||
                now.keys()[at].bytes.reveal() != before.keys()[at].bytes.reveal())
                return false;
        return true;
    };
    const auto added = sys::add_key(path, random);
    const auto with = sys::read_key_file(path);
    require(with.keys().size() == before.keys().size() + 1, "one key is added");
    require(with.newest() == before.newest(), "an added key is not in use yet");
    sys::use_key(path, added);
    require(sys::read_key_file(path).newest() == added, "the key is in use");
    sys::use_key(path, before.newest());
    sys::remove_key(path, added);
    require(same(sys::read_key_file(path)), "the other keys are as they were");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // In memory a file is on its disk at once; changes to the key file wait for that.
    static const bool in_memory = ::setenv("TMPDIR", "/dev/shm", 1) == 0;
    require(in_memory, "there is an environment");
    static const tests::TempFolder folder;
    const auto path = folder.write("keys", std::string(tests::text_of_input(data, size)));
    const auto keyring = read(path);
    if (!keyring) return 0;
    look_at(*keyring);
    look_at_changes(path, *keyring);
    return 0;
}
