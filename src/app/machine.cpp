#include "machine.h"

#include <Poco/Exception.h>
#include <Poco/Pipe.h>
#include <Poco/PipeStream.h>
#include <Poco/Process.h>
#include <Poco/StreamCopier.h>
#include <Poco/String.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace consentgate::app {
namespace {

constexpr mode_t new_file_mode = 0644, new_folder_mode = 0755;

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
    throw std::runtime_error(path + ": " + reason);
}

// A name that no pattern of a web server's fits.
std::string draft_of(const std::filesystem::path& path) {
    return path.parent_path() / ("." + path.filename().string() + ".setup");
}

void replace_file(const std::string& path, const std::string& text) {
    struct stat like {};
    const bool there = ::stat(path.c_str(), &like) == 0;
    const auto draft = draft_of(path);
    std::ofstream out(draft, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    const auto mode = there ? like.st_mode & 07777 : new_file_mode;
    const bool owned = !there || ::chown(draft.c_str(), like.st_uid, like.st_gid) == 0;
    if (out && owned && ::chmod(draft.c_str(), mode) == 0 &&
        ::rename(draft.c_str(), path.c_str()) == 0)
        return;
    const std::string reason = std::strerror(errno);
    ::unlink(draft.c_str());
    fail(path, "it cannot be changed: " + reason);
}

// The first copy keeps its name; a later one has a number.
void keep_copy(const std::string& folder, const FileChange& change) {
    const auto name = Poco::replace(change.path.substr(1), "/", "_");
    const auto at = std::filesystem::path(folder) / name;
    std::filesystem::create_directories(folder);
    auto free = at;
    for (int number = 2; std::filesystem::exists(free); ++number)
        free = at.string() + "." + std::to_string(number);
    replace_file(free, change.before.value_or(""));
    ::chmod(free.c_str(), 0600);
}

} // namespace

Ran run_program(const std::vector<std::string>& words) {
    try {
        Poco::Pipe pipe, input;
        const Poco::Process::Args arguments(words.begin() + 1, words.end());
        const auto handle = Poco::Process::launch(words.front(), arguments, &input, &pipe, &pipe);
        input.close(Poco::Pipe::CLOSE_BOTH);
        Poco::PipeInputStream said(pipe);
        Ran ran;
        Poco::StreamCopier::copyToString(said, ran.output);
        ran.status = handle.wait();
        constexpr int not_found = 72; // says Poco's child
        if (ran.status == not_found && ran.output.empty())
            fail(words.front(), "there is no such program on this machine");
        return ran;
    } catch (const Poco::Exception& error) {
        fail(words.front(), error.displayText());
    }
}

std::string read_whole(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) fail(path, std::strerror(errno));
    return {std::istreambuf_iterator<char>(in), {}};
}

void ChangedFiles::change(const FileChange& change) {
    if (change.before) keep_copy(copies_, change);
    const auto folder = std::filesystem::path(change.path).parent_path();
    if (std::filesystem::create_directories(folder)) ::chmod(folder.c_str(), new_folder_mode);
    replace_file(change.path, change.after);
    done_.push_back(change);
}

void ChangedFiles::take_back() {
    while (!done_.empty()) {
        const auto change = done_.back();
        done_.pop_back();
        if (change.before)
            replace_file(change.path, *change.before);
        else
            std::filesystem::remove(change.path);
    }
}

void become_owner_of_folder(const std::string& file) {
    if (::geteuid() != 0) return;
    struct stat folder {};
    const auto path = std::filesystem::path(file).parent_path();
    if (::stat(path.c_str(), &folder) != 0 || folder.st_uid == 0) return;
    const auto* user = ::getpwuid(folder.st_uid);
    const bool groups = user != nullptr ? ::initgroups(user->pw_name, user->pw_gid) == 0
                                        : ::setgroups(0, nullptr) == 0;
    if (!groups || ::setgid(user != nullptr ? user->pw_gid : folder.st_gid) != 0 ||
        ::setuid(folder.st_uid) != 0)
        fail(
            path,
            "cannot work as the user whose folder it is: " + std::string(std::strerror(errno)));
    // PostgreSQL's library looks for certificates at home, and fails where it may not look.
    if (user != nullptr)
        ::setenv("HOME", user->pw_dir, 1);
    else
        ::unsetenv("HOME");
}

void give_to_owner_of_folder(const std::string& made, const std::string& file) {
    struct stat folder {
    }, now{};
    const auto path = std::filesystem::path(file).parent_path();
    if (::geteuid() != 0 || ::stat(path.c_str(), &folder) != 0) return;
    // The folder is the service's: no link there may lead to a file of root's.
    const int opened = ::open(made.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    if (opened < 0) return;
    const bool roots = ::fstat(opened, &now) == 0 && S_ISREG(now.st_mode) && now.st_nlink == 1 &&
                       now.st_uid == 0 && folder.st_uid != 0;
    const bool given = !roots || ::fchown(opened, folder.st_uid, folder.st_gid) == 0;
    const std::string reason = std::strerror(errno);
    ::close(opened);
    if (!given) fail(made, "it cannot be given to the services' user: " + reason);
}

} // namespace consentgate::app
