// The head of a FastCGI request, looked at before libfcgi reads it: libfcgi trusts whoever can
// connect, and some bytes make it end the process. Private to this module.
// spec: FastCGI 1.0 sections 3.3, 3.4, 5.1 and 5.2
#pragma once

#include <cstddef>
#include <string_view>

namespace consentgate::web {

// Web servers send far less: lighttpd takes 8 KiB of header fields, nginx 32.
inline constexpr std::size_t max_fastcgi_head = 128 * 1024; // bytes

enum class Head {
    incomplete, // so far it is the beginning of one
    whole,      // all of it is there, whatever follows
    refused,    // no web server sends that
};

// One BEGIN_REQUEST, then PARAMS whose pairs fill them exactly, up to the empty record that ends
// them.
// in: bytes  what has come on the connection so far
Head look_at_head(std::string_view bytes);

} // namespace consentgate::web
