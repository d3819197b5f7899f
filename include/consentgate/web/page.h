// The pages: files that are read and parsed once, at start, in every language. Rendering does no
// I/O.
//
// A page file is mustache. frame.html stands around it; {{text.KEY}} is a message of
// messages.LANGUAGE.properties, put in when the file is loaded, where <bdi> may stand around a
// name. Values are always escaped: a page file with an unescaped tag is refused at start.
#pragma once

#include "consentgate/core/oauth/access.h"
#include "consentgate/core/signin/browser_signin.h"
#include "consentgate/web/logo.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace consentgate::web {

// The values that fill a page. A name that is not set is false, an empty list is false; an empty
// text is not set.
class View {
public:
    View& set(std::string name, std::string text);
    View& flag(std::string name, bool value);
    View& list(std::string name, std::vector<View> entries);
    View& texts(std::string name, std::vector<std::string> entries);
    // For people, and as NAME_exact for the datetime of a time element.
    View& instant(std::string name, core::Instant at);

    struct Entry {
        std::string name;
        std::variant<std::string, bool, std::vector<View>, std::vector<std::string>> value;
    };
    const std::vector<Entry>& entries() const { return entries_; }

private:
    std::vector<Entry> entries_;
};

struct Brand {
    std::string name;
    std::string accent; // "#rrggbb", or empty for the stylesheet's own
    std::string logo{}; // the file of a picture, or empty for our own mark
};

// How pages can name a client.
struct ClientNames {
    std::string own; // as it calls itself
    core::ClientId id;
    std::string redirect_uri{};
};
// At most 80 characters of its own name, so that a page stays readable whatever a client calls
// itself; else the host of its document or https redirect URI; empty when it has neither. An id of
// ours says nothing to a person.
std::string shown_client(const ClientNames& names);
// A guarded resource: the name that the operator gave it, or else host, port and path.
std::string shown_resource(const std::string& url, const core::Policy& policy);
// The person of a session as pages name them; empty when they skipped the question.
// in: signed_in  in the browser; a person of a provider is named to themselves alone
std::string shown_principal(
    const core::SessionView& view, const std::optional<core::SignedIn>& signed_in);
std::string shown_person(
    const core::Identity& identity, const std::optional<core::SignedIn>& signed_in);
// "2026-11-23 14:05 CET": in the server's zone, which is named, because the server does not know
// the person's.
std::string day_and_time(core::Instant at);

class Pages {
public:
    // fail: throws std::runtime_error naming the file and what is wrong with it
    Pages(const std::string& folder, const Brand& brand);
    ~Pages();
    Pages(Pages&&) noexcept;

    // in:  name  "client", "identity", "services" or "error"; language  as chosen by language_for
    std::string render(std::string_view name, const std::string& language, View view) const;
    // A message as written; absent when the catalogue lacks it.
    std::optional<std::string> message(const std::string& language, const std::string& key) const;
    // A client's name, or the words for one that has none.
    std::string client_name(const std::string& language, const ClientNames& names) const;
    // The first language of an Accept-Language header that is there; English otherwise.
    std::string language_for(const std::optional<std::string>& accept_language) const;

    const std::string& stylesheet() const;
    const std::string& style_url()
        const; // changes with the stylesheet, so that it can be cached for long
    const Logo& logo() const;
    const std::string& icon() const; // an SVG picture in the operator's colour

private:
    struct Loaded;
    std::unique_ptr<Loaded> loaded_;
};

} // namespace consentgate::web
