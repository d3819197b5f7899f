// The machine under `consentgate-admin setup`: programs that it runs, files that it replaces.
// Private to this module.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace consentgate::app {

// An operator types this, and both programs read their configuration and the resources anew.
constexpr const char* reload_command =
    "systemctl try-reload-or-restart consentgate.service 'consentgate-gate@*.service'";

struct Ran {
    int status = 0;
    std::string output; // of both streams
    bool well() const { return status == 0; }
};
// fail: throws std::runtime_error: there is no such program
Ran run_program(const std::vector<std::string>& words);

// fail: throws std::runtime_error that names the file
std::string read_whole(const std::string& path);

struct FileChange {
    std::string path;
    std::optional<std::string> before; // absent: there is no such file
    std::string after;
};

// Files that were changed, so that all of them can be changed back.
class ChangedFiles {
public:
    // in: copies  the folder that keeps a copy of each file as it was
    explicit ChangedFiles(std::string copies) : copies_(std::move(copies)) {}

    // Replaces the file in one step; mode and owner stay, a new file is readable by all.
    // fail: throws std::runtime_error: nothing was changed
    void change(const FileChange& change);
    void take_back();

private:
    std::string copies_;
    std::vector<FileChange> done_;
};

// Root works as the user of the folder of this file, so that what a command makes is of use to the
// service. Does nothing for others, or where the folder is root's or not there.
// fail: throws std::runtime_error: the system refuses it
void become_owner_of_folder(const std::string& file);

// Gives what root has just made for the service to the user to whom the file's folder belongs.
// in:   made  a file that was not there before; one of another user than root stays as it is
// fail: throws std::runtime_error
void give_to_owner_of_folder(const std::string& made, const std::string& file);

} // namespace consentgate::app
