#include "consentgate/web/page.h"

#include "asset.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/client_document.h"

#include <Poco/AutoPtr.h>
#include <Poco/DirectoryIterator.h>
#include <Poco/Exception.h>
#include <Poco/Util/PropertyFileConfiguration.h>

#include <kainjow/mustache.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <stdexcept>

namespace consentgate::web {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;
using Messages = std::map<std::string, std::string>;

constexpr const char* page_names[] = {"client", "resource", "identity", "services",  "remembered",
                                      "done",   "connect",  "key",      "connected", "sessions",
                                      "signin", "trial",    "error"};
constexpr std::size_t max_shown_name = 80; // characters
constexpr const char* default_language = "en";
constexpr const char* icon_accent = "#0d6470"; // in icon.svg

[[noreturn]] void fail(const std::string& file, const std::string& reason) {
    throw std::runtime_error(file + ": " + reason);
}

Messages read_messages(const std::string& path) {
    Messages messages;
    try {
        const Poco::AutoPtr<Poco::Util::PropertyFileConfiguration> file(
            new Poco::Util::PropertyFileConfiguration(path));
        const auto read = [&](auto&& self, const std::string& prefix) -> void {
            Poco::Util::AbstractConfiguration::Keys keys;
            file->keys(prefix, keys);
            for (const auto& key : keys) {
                const auto whole = prefix.empty() ? key : prefix + "." + key;
                if (file->hasProperty(whole)) messages[whole] = file->getRawString(whole);
                self(self, whole);
            }
        };
        read(read, "");
    } catch (const Poco::Exception& error) {
        fail(path, error.displayText());
    }
    return messages;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

// A message is text, its {{variables}} apart: mustache escapes those later, everything else here
// and now.
//
// A name stands out of the words around it, and its letters may run the other way: <bdi> is the one
// element that a message may hold.
std::string escape(const std::string& message) {
    auto text = kainjow::mustache::html_escape(message);
    for (const std::string tag : {"<bdi>", "</bdi>"})
        replace_all(text, kainjow::mustache::html_escape(tag), tag);
    return text;
}

// A tag that is not escaped, or that changes what a tag is; looked for when the messages are in,
// which may hold tags too.
void check_tags_are_escaped(const std::string& text, const std::string& file) {
    for (auto at = text.find("{{"); at != std::string::npos; at = text.find("{{", at + 2)) {
        const auto first = text.find_first_not_of(" \t\r\n", at + 2);
        if (first != std::string::npos &&
            std::string_view("{&=").find(text[first]) != std::string_view::npos)
            fail(file, "unescaped tags are not allowed");
    }
}

// Puts the file of each part in its place. A part holds no others.
void take_in_parts(std::string& text, const std::string& folder) {
    constexpr std::string_view open = "{{> ", close = "}}";
    for (auto at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
        const auto end = text.find(close, at);
        if (end == std::string::npos) return;
        const auto name = text.substr(at + open.size(), end - at - open.size());
        const auto part = read_file(folder + "/" + name + ".html");
        text.replace(at, end + close.size() - at, part);
        at += part.size();
    }
}

mustache parse_page(const std::string& folder, const std::string& name, const Messages& messages) {
    auto text = read_file(folder + "/frame.html");
    replace_all(text, "{{> page}}", read_file(folder + "/" + name + ".html"));
    replace_all(text, "{{> title}}", "{{text." + name + ".title}}");
    take_in_parts(text, folder);
    for (auto at = text.find("{{text."); at != std::string::npos; at = text.find("{{text.", at)) {
        const auto end = text.find("}}", at);
        const auto key = text.substr(at + 7, end == std::string::npos ? end : end - at - 7);
        const auto message = messages.find(key);
        if (end == std::string::npos || message == messages.end())
            fail(name + ".html", "there is no message '" + key + "'");
        if (message->second.find("{{text.") != std::string::npos)
            fail(name + ".html", "the message '" + key + "' holds another message");
        text.replace(at, end + 2 - at, escape(message->second));
    }
    check_tags_are_escaped(text, name + ".html");
    mustache page(text);
    if (!page.is_valid()) fail(name + ".html", page.error_message());
    return page;
}

std::string format_time(const std::tm& at, const char* format) {
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), format, &at);
    return text.data();
}

data to_data(const View& view);

data to_value(const View::Entry& entry) {
    if (const auto* text = std::get_if<std::string>(&entry.value)) return data(*text);
    if (const auto* flag = std::get_if<bool>(&entry.value)) return data(*flag);
    data list(data::type::list);
    if (const auto* views = std::get_if<std::vector<View>>(&entry.value)) {
        for (const auto& view : *views) list.push_back(to_data(view));
    } else {
        for (const auto& text : std::get<std::vector<std::string>>(entry.value))
            list.push_back(data(text));
    }
    return list;
}

data to_data(const View& view) {
    data object(data::type::object);
    for (const auto& entry : view.entries()) object.set(entry.name, to_value(entry));
    return object;
}

} // namespace

std::string shown_client(const ClientNames& names) {
    auto own = core::display_text(core::trim(names.own), max_shown_name);
    if (core::has_visible(own)) return own;
    const auto& address = core::names_document(names.id) ? names.id.text : names.redirect_uri;
    if (core::describe_redirect(address).kind != core::RedirectKind::https) return {};
    return core::lower_ascii(core::split_uri(address).value_or(core::UriParts{}).host);
}

std::string shown_resource(const std::string& url, const core::Policy& policy) {
    constexpr std::size_t whole = 4096; // an address is never cut
    return core::display_text(
        core::shown_name(policy.known_resource(url).value_or(core::GuardedResource{url})), whole);
}

std::string shown_principal(
    const core::SessionView& view, const std::optional<core::SignedIn>& signed_in) {
    const auto& identity = view.session.identity;
    if (identity.is_person()) return shown_person(identity, signed_in);
    return core::display_text(
        view.virtual_key ? view.virtual_key->name : identity.value, max_shown_name);
}

std::string shown_person(
    const core::Identity& identity, const std::optional<core::SignedIn>& signed_in) {
    if (!signed_in || signed_in->identity() != identity) return {};
    return core::display_text(signed_in->person.name, max_shown_name);
}

std::string day_and_time(core::Instant at) {
    const std::time_t seconds = core::epoch(at);
    std::tm local{};
    localtime_r(&seconds, &local);
    // Some zones have no name but their distance from UTC.
    const std::string zone = local.tm_zone;
    return format_time(local, "%Y-%m-%d %H:%M ") + (zone.find_first_of("+-") == 0 ? "UTC" : "") +
           zone;
}

View& View::set(std::string name, std::string text) {
    if (!text.empty()) entries_.push_back({std::move(name), std::move(text)});
    return *this;
}

View& View::instant(std::string name, core::Instant at) {
    const std::time_t seconds = core::epoch(at);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    set(name + "_exact", format_time(utc, "%Y-%m-%dT%H:%M:%SZ"));
    return set(std::move(name), day_and_time(at));
}

View& View::flag(std::string name, bool value) {
    entries_.push_back({std::move(name), value});
    return *this;
}

View& View::list(std::string name, std::vector<View> entries) {
    entries_.push_back({std::move(name), std::move(entries)});
    return *this;
}

View& View::texts(std::string name, std::vector<std::string> entries) {
    entries_.push_back({std::move(name), std::move(entries)});
    return *this;
}

struct Pages::Loaded {
    struct Language {
        Messages messages;
        std::map<std::string, mustache, std::less<>> pages;
    };
    std::map<std::string, Language> languages;
    std::string brand_name, stylesheet, style_url, icon, icon_url;
    Logo logo;
};

Pages::Pages(const std::string& folder, const Brand& brand) : loaded_(std::make_unique<Loaded>()) {
    loaded_->brand_name = brand.name;
    loaded_->logo = load_logo(brand.logo);
    loaded_->stylesheet = read_file(folder + "/style.css");
    if (!brand.accent.empty()) loaded_->stylesheet += ":root{--accent:" + brand.accent + "}\n";
    loaded_->style_url = lasting_url("/oauth/style.css", loaded_->stylesheet);
    loaded_->icon = read_file(folder + "/icon.svg");
    if (!brand.accent.empty()) replace_all(loaded_->icon, icon_accent, brand.accent);
    loaded_->icon_url = loaded_->logo.url.empty() ? lasting_url("/oauth/icon.svg", loaded_->icon)
                                                  : loaded_->logo.url;
    try {
        for (Poco::DirectoryIterator file(folder), end; file != end; ++file) {
            const auto parts = core::split(file.name(), '.');
            if (parts.size() != 3 || parts[0] != "messages" || parts[2] != "properties") continue;
            auto& language = loaded_->languages[core::lower_ascii(parts[1])];
            language.messages = read_messages(file->path());
            for (const auto* name : page_names)
                language.pages.emplace(name, parse_page(folder, name, language.messages));
        }
    } catch (const Poco::Exception& error) {
        fail(folder, error.displayText());
    }
    if (!loaded_->languages.contains(default_language))
        fail(folder, "messages.en.properties is missing");
}

Pages::~Pages() = default;
Pages::Pages(Pages&&) noexcept = default;

std::string Pages::render(std::string_view name, const std::string& language, View view) const {
    auto& pages = loaded_->languages.at(language).pages;
    view.set("lang", language)
        .set("brand_name", loaded_->brand_name)
        .set("style_url", loaded_->style_url)
        .set("icon_url", loaded_->icon_url)
        .set("logo_url", loaded_->logo.url);
    return pages.find(name)->second.render(to_data(view));
}

std::optional<std::string> Pages::message(
    const std::string& language, const std::string& key) const {
    const auto& messages = loaded_->languages.at(language).messages;
    const auto found = messages.find(key);
    return found == messages.end() ? std::nullopt : std::optional(found->second);
}

std::string Pages::client_name(const std::string& language, const ClientNames& names) const {
    auto shown = shown_client(names);
    return shown.empty() ? message(language, "ask.nameless").value_or("") : shown;
}

std::string Pages::language_for(const std::optional<std::string>& accept_language) const {
    for (const auto& range : core::split(accept_language.value_or(""), ',')) {
        const auto tag =
            core::lower_ascii(core::trim(std::string_view(range).substr(0, range.find(';'))));
        if (loaded_->languages.contains(tag)) return tag;
        const auto primary = tag.substr(0, tag.find('-'));
        if (loaded_->languages.contains(primary)) return primary;
    }
    return default_language;
}

const std::string& Pages::stylesheet() const { return loaded_->stylesheet; }
const std::string& Pages::style_url() const { return loaded_->style_url; }
const Logo& Pages::logo() const { return loaded_->logo; }
const std::string& Pages::icon() const { return loaded_->icon; }

} // namespace consentgate::web
