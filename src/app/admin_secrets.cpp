// Secrets of ours at others, as commands take them.
#include "admin.h"

#include "consentgate/core/base/text.h"
#include "consentgate/sys/key_file.h"

#include <chrono>
#include <iostream>

namespace consentgate::app::admin {

core::Secret read_client_secret(const Arguments& arguments) {
    const auto file = arguments.one("client-secret-file");
    if (!file) return {};
    std::string text;
    if (*file == "-")
        std::getline(std::cin, text);
    else
        text = sys::read_secret_file(*file).reveal();
    auto secret = core::Secret(std::string(core::trim(text)));
    if (secret.empty() || core::has_control(secret.reveal()))
        throw UsageError("--client-secret-file: there is no secret of one line in it");
    return secret;
}

std::optional<core::Instant> read_day(const std::string& text) {
    const auto parts = core::split(text, '-');
    if (parts.size() != 3 || core::join(parts, "-") != text || text.size() != 10)
        return std::nullopt;
    const auto year = core::parse_number(parts[0]), month = core::parse_number(parts[1]),
               day = core::parse_number(parts[2]);
    if (!year || !month || !day) return std::nullopt;
    const std::chrono::year_month_day date{
        std::chrono::year(static_cast<int>(*year)),
        std::chrono::month(static_cast<unsigned>(*month)),
        std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return core::Instant(std::chrono::sys_days(date));
}

} // namespace consentgate::app::admin
