#include "consentgate/sys/key_file.h"

#include "consentgate/core/base/text.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>

namespace consentgate::sys {
namespace {

constexpr std::size_t key_bytes = 32;

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
    throw std::runtime_error(path + ": " + reason);
}

// Closes its descriptor at the end of its scope.
class Handle {
public:
    explicit Handle(int file) : file_(file) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        if (file_ >= 0) ::close(file_);
    }
    int get() const { return file_; }

private:
    int file_;
};

bool write_all(int file, const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const auto wrote = ::write(file, text.data() + done, text.size() - done);
        if (wrote < 0) return false;
        done += static_cast<std::size_t>(wrote);
    }
    return ::fsync(file) == 0;
}

// One line of the key file, unchanged.
struct Line {
    core::KeyId key; // empty: a comment
    core::Secret text;
};
using Lines = std::vector<Line>;

std::string line_of(const std::string& id, Random& random) {
    return id + " " + random.secret().reveal();
}

Lines read_lines(const std::string& path) {
    read_key_file(path); // throws unless it is a valid key file
    const auto content = read_secret_file(path);
    Lines lines;
    for (const auto& text : core::split(content.reveal(), '\n')) {
        const bool key = !core::trim(text).empty() &&
                         !text.starts_with('#'); // as read_key_file() tells them apart
        lines.push_back(
            {key ? core::KeyId(core::split(text, ' ').front()) : core::KeyId(),
             core::Secret(text)});
    }
    return lines;
}

Lines::iterator find_line(Lines& lines, const core::KeyId& key) {
    return std::find_if(
        lines.begin(), lines.end(), [&](const Line& line) { return line.key == key; });
}

Lines::iterator last_key(Lines& lines) {
    return std::find_if(
               lines.rbegin(), lines.rend(),
               [](const Line& line) { return !line.key.text.empty(); })
               .base() -
           1;
}

// in: draft  path of the new file; like  the file whose mode and owner it gets
bool write_draft(const std::string& draft, const std::string& text, const struct stat& like) {
    const Handle file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.get() < 0) return false;
    struct stat own {};
    if (::fstat(file.get(), &own) != 0) return false;
    const bool same_owner = own.st_uid == like.st_uid && own.st_gid == like.st_gid;
    if (!same_owner && ::fchown(file.get(), like.st_uid, like.st_gid) != 0) return false;
    return ::fchmod(file.get(), like.st_mode & 0700) == 0 && write_all(file.get(), text);
}

// Replaces the file with its lines as `change` leaves them.
void rewrite(const std::string& path, const std::function<void(Lines&)>& change) {
    std::error_code error;
    const auto real = std::filesystem::canonical(path, error); // a symbolic link to it stays one
    if (error) fail(path, error.message());
    const Handle folder(::open(real.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0 || ::flock(folder.get(), LOCK_EX) != 0) fail(path, std::strerror(errno));
    auto lines = read_lines(real);
    change(lines);
    std::string joined;
    for (const auto& line : lines) joined.append(line.text.reveal()).push_back('\n');
    const core::Secret text(std::move(joined));
    struct stat like {};
    if (::stat(real.c_str(), &like) != 0) fail(path, std::strerror(errno));
    const auto draft = real.string() + ".new";
    ::unlink(draft.c_str()); // a leftover of an interrupted change: we hold the lock
    if (!write_draft(draft, text.reveal(), like) || ::rename(draft.c_str(), real.c_str()) != 0) {
        const auto reason = std::string(std::strerror(errno));
        ::unlink(draft.c_str());
        fail(path, "it cannot be changed: " + reason);
    }
    // Without it a power cut may undo the change; the old file would still be whole.
    ::fsync(folder.get());
}

} // namespace

core::Secret read_secret_file(const std::string& path) {
    struct stat at {};
    if (::stat(path.c_str(), &at) != 0) fail(path, std::strerror(errno));
    if ((at.st_mode & 077) != 0) fail(path, "others may read it; run: chmod 600 '" + path + "'");
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) fail(path, "it cannot be read, or is empty");
    return core::Secret(text.str());
}

// Errors name a key by its number: the text in place of an id may be the key itself.
core::Keyring read_key_file(const std::string& path) {
    const auto content = read_secret_file(path);
    std::vector<core::ServerKey> keys;
    for (const auto& line : core::split(content.reveal(), '\n')) {
        if (core::trim(line).empty() || line.starts_with('#')) continue;
        const auto which = "key number " + std::to_string(keys.size() + 1);
        const auto words = core::split(line, ' ');
        if (words.size() != 2 || !core::is_base64url(words[0]) || words[0].size() > 64)
            fail(path, which + " is not a line of `id key`");
        auto bytes = core::from_base64(words[1], core::Base64::url);
        if (!bytes || bytes->size() != key_bytes)
            fail(path, which + " is not 32 bytes of base64url");
        const bool taken = std::any_of(
            keys.begin(), keys.end(), [&](const auto& key) { return key.id.text == words[0]; });
        if (taken) fail(path, which + " has the id of one before it");
        keys.push_back({core::KeyId(words[0]), core::Secret(std::move(*bytes))});
    }
    if (keys.empty()) fail(path, "it holds no key");
    return core::Keyring(std::move(keys));
}

bool create_key_file(const std::string& path, Random& random) {
    const auto draft = path + ".new." + random.id(6);
    const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) fail(path, std::strerror(errno));
    const core::Secret text(
        "# consentgate server keys: keep this file private, and back it up apart from the "
        "database\n" +
        line_of("k" + random.id(6), random) + "\n");
    const bool written = write_all(file, text.reveal());
    ::close(file);
    // link() fails when the name is taken, so that an existing key is never replaced.
    const bool made = written && ::link(draft.c_str(), path.c_str()) == 0;
    const int reason = errno;
    ::unlink(draft.c_str());
    if (!made && (!written || reason != EEXIST)) fail(path, std::strerror(reason));
    return made;
}

core::KeyId add_key(const std::string& path, Random& random) {
    const core::KeyId key("k" + random.id(6));
    rewrite(path, [&](Lines& lines) {
        lines.insert(last_key(lines), {key, core::Secret(line_of(key.text, random))});
    });
    return key;
}

void use_key(const std::string& path, const core::KeyId& key) {
    rewrite(path, [&](Lines& lines) {
        const auto at = find_line(lines, key);
        if (at == lines.end()) fail(path, "it has no key '" + key.text + "'");
        std::rotate(at, at + 1, lines.end());
    });
}

void remove_key(const std::string& path, const core::KeyId& key) {
    rewrite(path, [&](Lines& lines) {
        const auto at = find_line(lines, key);
        if (at == lines.end()) return;
        if (at == last_key(lines))
            fail(path, "the key '" + key.text + "' is the one that is used for what is new");
        lines.erase(at);
    });
}

} // namespace consentgate::sys
