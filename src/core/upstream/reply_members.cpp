#include "reply_members.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace consentgate::core {
namespace {

constexpr std::size_t max_word_bytes = 64;

std::string text_of(const Json& value) {
    if (const auto* text = value.text()) return *text;
    if (const auto* integer = value.integer()) return std::to_string(*integer);
    if (const auto* number = value.number())
        return std::abs(*number) < 1e18 ? std::to_string(*number) : "";
    const auto* array = value.array();
    if (array == nullptr) return {};
    std::vector<std::string> texts;
    for (const auto& one : *array) {
        if (const auto* text = one.text()) texts.push_back(*text);
    }
    return join(texts, " ");
}

// Words by which a program says that there is none.
bool says_none(std::string_view text) {
    const auto word = lower_ascii(trim(text));
    return word.empty() || word == "0" || word == "false" || word == "null" || word == "none";
}

bool says_something(const Json& value) {
    if (value.is_null()) return false;
    if (const auto* flag = value.boolean()) return *flag;
    if (const auto* object = value.object()) return object->size() > 0;
    if (const auto* array = value.array()) return !array->empty();
    if (const auto* number = value.number()) return *number != 0;
    return !says_none(text_of(value));
}

// A member that is a text or a number.
std::string member(const JsonObject& object, std::string_view name) {
    const auto* value = object.find(name);
    if (value == nullptr) return {};
    if (const auto* text = value->text()) return *text;
    const auto* number = value->integer();
    return number == nullptr ? std::string() : std::to_string(*number);
}

std::string first_of(const JsonObject& object, std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        if (auto found = member(object, name); !found.empty()) return found;
    }
    return {};
}

void add_word(std::vector<std::string>& words, const std::string& text) {
    if (!says_none(text)) words.push_back(lower_ascii(trim(text).substr(0, max_word_bytes)));
}

} // namespace

std::optional<ReplyMembers> ReplyMembers::parse(const ServiceReply& reply) {
    const auto body = without_byte_order_mark(reply.body.reveal());
    if (auto object = parse_json_object(body)) return ReplyMembers(std::move(*object));
    if (reply.content_type != "application/x-www-form-urlencoded" &&
        reply.content_type != "text/plain")
        return std::nullopt;
    auto form = Form::parse(trim(body));
    if (!form) return std::nullopt;
    return ReplyMembers(std::move(*form));
}

const Json* ReplyMembers::find(const std::string& name) const {
    const auto* object = std::get_if<JsonObject>(&source_);
    return object ? object->find(name) : nullptr;
}

std::string ReplyMembers::text(const std::string& name) const {
    if (const auto* form = std::get_if<Form>(&source_)) return form->get(name).value_or("");
    const auto* value = find(name);
    return value ? text_of(*value) : "";
}

bool ReplyMembers::has_error() const {
    if (const auto* value = find("error")) return says_something(*value);
    return !says_none(text("error"));
}

std::vector<std::string> ReplyMembers::error_words() const {
    std::vector<std::string> words;
    const auto* error = find("error");
    if (const auto* object = error ? error->object() : nullptr) {
        for (const auto* name : {"code", "type", "status", "error"})
            add_word(words, object->text(name).value_or(""));
    } else {
        add_word(words, text("error"));
    }
    for (const auto* name : {"status", "code", "error_code", "errorCode"}) {
        const auto* value = find(name);
        if (value && value->text()) add_word(words, *value->text());
    }
    return words;
}

// Google's and Microsoft's interfaces write an object as `error`; HubSpot a word as `status`.
ReplyMembers::Words ReplyMembers::failure_words() const {
    if (const auto* form = std::get_if<Form>(&source_))
        return {
            .error = form->get("error").value_or(""),
            .own_code = {},
            .description = form->get("error_description").value_or("")};
    const auto& object = std::get<JsonObject>(source_);
    Words words{
        .error = object.text("error").value_or(""), // some write 0 or false beside a token
        .own_code = first_of(object, {"code", "status"}),
        .description = first_of(object, {"error_description", "message", "detail"})};
    if (const auto* nested = object.object("error")) {
        words.own_code = first_of(*nested, {"status", "code", "type"});
        words.description = first_of(*nested, {"message", "description"});
    }
    return words;
}

bool ReplyMembers::describes_resource() const {
    const auto said = lower_ascii(text("error_description"));
    const auto at = said.find("resource");
    return at != std::string::npos && !said.substr(at).starts_with("resource owner");
}

} // namespace consentgate::core
