// The members of a service's answer, whether it is JSON or a form, however oddly they are written.
// Private to this folder.
#pragma once

#include "consentgate/core/base/form.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/upstream/upstream.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace consentgate::core {

class ReplyMembers {
public:
    // Absent: the body is neither.
    static std::optional<ReplyMembers> parse(const ServiceReply& reply);

    // Empty when it is missing or has no text. Some providers send numbers as texts, texts as
    // numbers, and lists in place of texts with blanks.
    std::string text(const std::string& name) const;

    // Some providers say of a success too that there was no error: 0, false, null or nothing.
    bool has_error() const;
    // In lower case. Some providers put more than one, or theirs in a place of their own.
    std::vector<std::string> error_words() const;
    // The reply tells of its failure in these words, as they are written: for people who read the
    // log.
    struct Words {
        std::string error, own_code, description;
    };
    Words failure_words() const;
    // The description of the error is about the parameter `resource`.
    bool describes_resource() const;

private:
    using Source = std::variant<JsonObject, Form>;
    explicit ReplyMembers(Source source) : source_(std::move(source)) {}
    const Json* find(const std::string& name) const; // null in a form, too

    Source source_;
};

} // namespace consentgate::core
