// Files, users and sockets of this machine, for the doctor, which only looks.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace consentgate::sys {

struct Account {
    std::string name;
    unsigned id = 0;
    std::vector<unsigned> groups{};
};
// out: absent: there is none of that name or number
std::optional<Account> find_account(const std::string& name);
std::optional<Account> find_account(unsigned id);
// The account of this process.
Account own_account();

struct FileFacts {
    std::string path;
    bool exists = false; // as far as this process may see
    unsigned mode = 0;   // its permissions alone
    unsigned owner = 0, group = 0;
};
FileFacts look_at(const std::string& path);
std::string folder_of(const std::string& path); // "." where none is named

// By the permissions alone, without lists of access control.
// in: rights  4 to read, 2 to write, 1 to enter, or a sum
bool may_use(const FileFacts& file, const Account& account, unsigned rights);

// The folders from the root to the file, each of which whoever uses it must be able to enter.
std::vector<std::string> folders_above(const std::string& path);

enum class Listening {
    yes,
    missing, // there is no such socket
    refused, // nobody listens
    unknown, // this process may not find out
};
// in: address  a path, or 127.0.0.1:9008
Listening listens(const std::string& address);

struct Listener {
    std::string address; // 4 or 16 bytes in network order; all 0: every address of this machine
    int port = 0;
};
std::vector<Listener> tcp_listeners();
// Addresses of this machine in 4 or 16 bytes.
std::vector<std::string> own_addresses();

} // namespace consentgate::sys
