#include "consentgate/app/version.h"

namespace consentgate::app {

// The Makefile writes the file from the first line of the changelog.
std::string_view version() {
    return
#include "version.inc"
        ;
}

} // namespace consentgate::app
