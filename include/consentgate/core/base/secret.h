// Secrets that cannot be printed, and the digests that stand for them at rest.
#pragma once

#include <string>
#include <string_view>

namespace consentgate::core {

// A token, code, key or cookie value in clear. It has no stream operator and no implicit
// conversion: whoever needs the text must write reveal(), which a reviewer (and tests/guards) can
// find. Wiped when destroyed.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string clear) : clear_(std::move(clear)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept;
    Secret& operator=(const Secret&) = default;
    Secret& operator=(Secret&& other) noexcept;
    ~Secret();

    const std::string& reveal() const { return clear_; }
    bool empty() const { return clear_.empty(); }

private:
    void wipe() noexcept;
    std::string clear_;
};

// SHA-256 as 64 lower-case hexadecimal characters, or empty when there is none. Random 256-bit
// values need no salt.
struct Digest {
    std::string hex;

    bool operator==(const Digest& other) const; // constant time for equal lengths
};

Digest sha256(std::string_view bytes);
inline Digest sha256(const Secret& secret) { return sha256(secret.reveal()); }

// 32 raw bytes.
std::string sha256_bytes(std::string_view bytes);
std::string hmac_sha256_bytes(const Secret& key, std::string_view message);

// True when both are the same bytes; takes the same time wherever they differ.
bool same_bytes(std::string_view left, std::string_view right);

} // namespace consentgate::core
