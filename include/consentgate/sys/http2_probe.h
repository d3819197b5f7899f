// Tells the doctor whether a web server speaks HTTP/2, which the outgoing client does not.
#pragma once

#include <chrono>
#include <string>

namespace consentgate::sys {

// With TLS the server chooses HTTP/2 (ALPN); without, it answers HTTP/2's first bytes in kind.
// in:   origin  https://… or http://…
// fail: false when nothing answers in time; a certificate is not looked at, nothing is sent
// spec: RFC 9113 section 3
bool speaks_http2(const std::string& origin, std::chrono::milliseconds time);

} // namespace consentgate::sys
