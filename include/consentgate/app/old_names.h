// Names that operators and programs once used, with their present ones.
//
// One table serves the command line, the configuration and the tests: an old word is recognised and
// answered with "… is now called …".
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace consentgate::app {

enum class NameKind {
    command,
    option,
    config_key,
    json_member,
    log_event,
    log_field,
    audit,
    label
};

struct OldName {
    std::string_view where; // the command, event or metric that it belongs to; empty: any
    std::string_view before;
    std::string_view now;
};

std::span<const OldName> old_names(NameKind kind);

// in:  where  as in the table
// out: null when `name` is no old name of this kind there
const OldName* find_old_name(NameKind kind, std::string_view where, std::string_view name);

// out: "BEFORE is now called NOW". in: prefix  of both names, for example "--"
std::string renamed_text(const OldName& name, std::string_view prefix = "");

} // namespace consentgate::app
