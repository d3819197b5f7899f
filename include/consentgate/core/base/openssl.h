// Wraps the objects and bytes of OpenSSL for the sources that call it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace consentgate::core {

// An object of OpenSSL, with the function of OpenSSL that frees it.
template <class Held> using Owned = std::unique_ptr<Held, void (*)(Held*)>;

inline const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
inline unsigned char* bytes_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

} // namespace consentgate::core
