#include "consentgate/sys/machine.h"

#include <arpa/inet.h>
#include <grp.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <sstream>

namespace consentgate::sys {
namespace {

std::optional<Account> account_of(const passwd* entry) {
    if (entry == nullptr) return std::nullopt;
    Account account{.name = entry->pw_name, .id = entry->pw_uid};
    int count = 64;
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    if (::getgrouplist(entry->pw_name, entry->pw_gid, groups.data(), &count) < 0) {
        groups.resize(static_cast<std::size_t>(count));
        ::getgrouplist(entry->pw_name, entry->pw_gid, groups.data(), &count);
    }
    account.groups.assign(groups.begin(), groups.begin() + count);
    return account;
}

Listening connect_to(const sockaddr* address, socklen_t size, int family) {
    const int descriptor = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return Listening::unknown;
    const timeval patience{2, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int failed = ::connect(descriptor, address, size) == 0 ? 0 : errno;
    ::close(descriptor);
    if (failed == 0 || failed == EAGAIN) return Listening::yes; // its queue is full
    if (failed == ENOENT) return Listening::missing;
    if (failed == ECONNREFUSED || failed == ENOTSOCK) return Listening::refused;
    return Listening::unknown;
}

Listening listens_at_path(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return Listening::unknown;
    std::copy(path.begin(), path.end(), address.sun_path);
    return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address, AF_UNIX);
}

// The kernel writes each 32 bits of an address as a number of this machine.
std::string address_of(const std::string& hex) {
    std::string bytes;
    for (std::size_t at = 0; at + 8 <= hex.size(); at += 8) {
        const auto word = static_cast<std::uint32_t>(std::stoul(hex.substr(at, 8), nullptr, 16));
        bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    const auto mapped = std::string(10, '\0') + "\xff\xff"; // an IPv4 address, written as IPv6
    return bytes.starts_with(mapped) ? bytes.substr(mapped.size()) : bytes;
}

void read_listeners(const char* file, std::vector<Listener>& listeners) {
    constexpr const char* listening = "0A";
    std::ifstream lines(file);
    std::string line;
    std::getline(lines, line); // the names of the columns
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string number, local, remote, state;
        words >> number >> local >> remote >> state;
        const auto colon = local.find(':');
        if (state != listening || colon == std::string::npos) continue;
        listeners.push_back(
            {address_of(local.substr(0, colon)), std::stoi(local.substr(colon + 1), nullptr, 16)});
    }
}

} // namespace

std::optional<Account> find_account(const std::string& name) {
    return account_of(::getpwnam(name.c_str()));
}
std::optional<Account> find_account(unsigned id) { return account_of(::getpwuid(id)); }
Account own_account() {
    return find_account(::geteuid()).value_or(Account{.name = "you", .id = ::geteuid()});
}

FileFacts look_at(const std::string& path) {
    struct stat status {};
    FileFacts facts{.path = path};
    if (::stat(path.c_str(), &status) != 0) return facts;
    facts.exists = true;
    facts.mode = status.st_mode & 07777U;
    facts.owner = status.st_uid;
    facts.group = status.st_gid;
    return facts;
}

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

bool may_use(const FileFacts& file, const Account& account, unsigned rights) {
    if (account.id == 0) return true;
    const bool shares =
        std::find(account.groups.begin(), account.groups.end(), file.group) != account.groups.end();
    const unsigned shift = file.owner == account.id ? 6 : shares ? 3 : 0;
    return ((file.mode >> shift) & rights) == rights;
}

std::vector<std::string> folders_above(const std::string& path) {
    std::vector<std::string> folders;
    for (auto folder = folder_of(path); folder != "/" && folder != "."; folder = folder_of(folder))
        folders.insert(folders.begin(), folder);
    return folders;
}

Listening listens(const std::string& address) {
    const auto colon = address.rfind(':');
    if (address.starts_with('/') || colon == std::string::npos) return listens_at_path(address);
    auto host = address.substr(0, colon);
    std::erase(host, '[');
    std::erase(host, ']');
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (::getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &hints, &list) != 0)
        return Listening::unknown;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(list, ::freeaddrinfo);
    auto found = Listening::unknown;
    for (const auto* one = list; one != nullptr && found != Listening::yes; one = one->ai_next)
        found = connect_to(one->ai_addr, one->ai_addrlen, one->ai_family);
    return found;
}

std::vector<Listener> tcp_listeners() {
    std::vector<Listener> listeners;
    for (const auto* file : {"/proc/net/tcp", "/proc/net/tcp6"}) read_listeners(file, listeners);
    return listeners;
}

std::vector<std::string> own_addresses() {
    std::vector<std::string> addresses;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return addresses;
    for (const auto* one = list; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr) continue;
        if (one->ifa_addr->sa_family == AF_INET) {
            const auto& bytes = reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr;
            addresses.emplace_back(reinterpret_cast<const char*>(&bytes), sizeof bytes);
        } else if (one->ifa_addr->sa_family == AF_INET6) {
            const auto& bytes = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr;
            addresses.emplace_back(reinterpret_cast<const char*>(&bytes), sizeof bytes);
        }
    }
    ::freeifaddrs(list);
    return addresses;
}

} // namespace consentgate::sys
