#include "consentgate/sys/log.h"

#include "consentgate/core/text.h"

#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Timestamp.h>

#include <unistd.h>

#include <algorithm>

namespace consentgate::sys {
namespace {

constexpr std::size_t longest_value = 300; // bytes

std::string quoted(const std::string& value) {
    const auto safe = core::plain_ascii(value.substr(0, longest_value));
    const bool bare = !safe.empty() && safe.find_first_of(" =") == std::string::npos;
    return bare ? safe : "\"" + safe + "\"";
}

} // namespace

void log_event(std::string_view event, std::initializer_list<std::pair<std::string_view, std::string>> fields) {
    std::string line = Poco::DateTimeFormatter::format(Poco::Timestamp(), "%Y-%m-%dT%H:%M:%S.%iZ");
    line += " event=" + std::string(event) + " pid=" + std::to_string(::getpid());
    for (const auto& [name, value] : fields) line += " " + std::string(name) + "=" + quoted(value);
    line += "\n";
    // One write per line, so that lines of several workers do not mix.
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return; // there is nowhere left to say so
}

} // namespace consentgate::sys
