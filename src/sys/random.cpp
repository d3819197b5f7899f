#include "consentgate/sys/random.h"

#include "consentgate/core/base/text.h"

#include <openssl/rand.h>

#include <stdexcept>

namespace consentgate::sys {

core::Secret Random::secret() { return core::Secret(core::to_base64url(bytes(32))); }

std::string Random::id(std::size_t count) { return core::to_base64url(bytes(count)); }

std::string OsRandom::bytes(std::size_t count) {
    std::string out(count, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) != 1) {
        throw std::runtime_error("the random generator failed");
    }
    return out;
}

} // namespace consentgate::sys
