// FastCGI records, written by hand: what a web server sends, and what none would.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace consentgate::tests {

enum class RecordType : unsigned char {
    begin_request = 1,
    abort_request = 2,
    params = 4,
    stdin_ = 5,
    get_values = 9
};

inline std::string fastcgi_record(
    RecordType type, const std::string& content, std::size_t padding = 0, unsigned id = 1) {
    const auto byte = [](std::size_t value) { return static_cast<char>(value & 0xFF); };
    return std::string{'\1', static_cast<char>(type), byte(id >> 8), byte(id)} +
           std::string{byte(content.size() >> 8), byte(content.size()), byte(padding), '\0'} +
           content + std::string(padding, '\0');
}

enum class Role : unsigned char { responder = 1, authorizer = 2 };

inline std::string begin_record(Role role = Role::responder, char flags = 0) {
    return fastcgi_record(
        RecordType::begin_request,
        std::string{'\0', static_cast<char>(role), flags} + std::string(5, '\0'));
}

inline std::string fastcgi_length(std::size_t length) {
    if (length < 0x80) return std::string(1, static_cast<char>(length));
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>((length >> shift & 0xFF) | (shift == 24 ? 0x80 : 0));
    return out;
}

inline std::string fastcgi_pair(const std::string& name, const std::string& value) {
    return fastcgi_length(name.size()) + fastcgi_length(value.size()) + name + value;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

inline std::string fastcgi_pairs(const Pairs& pairs) {
    std::string out;
    for (const auto& [name, value] : pairs) out += fastcgi_pair(name, value);
    return out;
}

// The head of a request up to its end, as web servers send it.
inline std::string fastcgi_head(const Pairs& pairs, Role role = Role::responder) {
    return begin_record(role) + fastcgi_record(RecordType::params, fastcgi_pairs(pairs)) +
           fastcgi_record(RecordType::params, "");
}

} // namespace consentgate::tests
