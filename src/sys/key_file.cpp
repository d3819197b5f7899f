#include "consentgate/sys/key_file.h"

#include "consentgate/core/text.h"

#include <Poco/Base64Decoder.h>
#include <Poco/Base64Encoder.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace consentgate::sys {
namespace {

constexpr std::size_t key_bytes = 32;

[[noreturn]] void fail(const std::string& path, const std::string& reason) { throw std::runtime_error(path + ": " + reason); }

std::string decode_base64url(const std::string& text) {
    std::istringstream in(text);
    Poco::Base64Decoder decoder(in, Poco::BASE64_URL_ENCODING | Poco::BASE64_NO_PADDING);
    std::ostringstream out;
    out << decoder.rdbuf();
    return out.str();
}

} // namespace

core::Secret read_secret_file(const std::string& path) {
    struct stat at{};
    if (::stat(path.c_str(), &at) != 0) fail(path, std::strerror(errno));
    if ((at.st_mode & 077) != 0) fail(path, "others may read it; run: chmod 600 '" + path + "'");
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) fail(path, "it cannot be read, or is empty");
    return core::Secret(text.str());
}

// Errors name a key by its place: what stands where an id should be may be the key itself.
core::Keyring read_key_file(const std::string& path) {
    const auto content = read_secret_file(path);
    std::vector<core::ServerKey> keys;
    for (const auto& line : core::split(content.reveal(), '\n')) {
        if (core::trim(line).empty() || line.starts_with('#')) continue;
        const auto which = "key number " + std::to_string(keys.size() + 1);
        const auto words = core::split(line, ' ');
        if (words.size() != 2 || !core::is_base64url(words[0]) || words[0].size() > 64) fail(path, which + " is not a line of `id key`");
        auto bytes = core::is_base64url(words[1]) ? decode_base64url(words[1]) : std::string();
        if (bytes.size() != key_bytes) fail(path, which + " is not 32 bytes of base64url");
        const bool taken = std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return key.id.text == words[0]; });
        if (taken) fail(path, which + " has the id of one before it");
        keys.push_back({core::KeyId(words[0]), core::Secret(std::move(bytes))});
    }
    if (keys.empty()) fail(path, "it holds no key");
    return core::Keyring(std::move(keys));
}

bool create_key_file(const std::string& path, Random& random) {
    const auto draft = path + ".new." + random.id(6);
    const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) fail(path, std::strerror(errno));
    const core::Secret text("# consentgate server keys: keep this file private, and back it up apart from the database\nk" + random.id(6) + " " +
                            random.secret().reveal() + "\n");
    const bool written = ::write(file, text.reveal().data(), text.reveal().size()) == static_cast<ssize_t>(text.reveal().size()) &&
                         ::fsync(file) == 0;
    ::close(file);
    // link() fails when the name is taken: an existing key is never replaced, whoever is first.
    const bool made = written && ::link(draft.c_str(), path.c_str()) == 0;
    const int reason = errno;
    ::unlink(draft.c_str());
    if (!made && (!written || reason != EEXIST)) fail(path, std::strerror(reason));
    return made;
}

} // namespace consentgate::sys
