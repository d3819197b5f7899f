#include "admin_names.h"

#include "near_words.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/usecase/clients.h"
#include "consentgate/usecase/identity_providers.h"
#include "consentgate/usecase/resource_servers.h"
#include "consentgate/usecase/services.h"
#include "consentgate/usecase/virtual_keys.h"

#include <algorithm>

namespace consentgate::app::admin {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t most_listed = 10, longest_name = 60;

// How a kind of things is spoken of, and what each of them is called: its id first.
template <class Thing> struct Kind {
    const char *what, *list_command;
    Words (*names)(const Thing&);
};

std::string line_of(const Words& names) {
    std::string line = names.front();
    for (std::size_t at = 1; at < names.size(); ++at)
        if (!names[at].empty()) line += "  " + core::display_text(names[at], longest_name);
    return line;
}

// An id counts before every name, and the exact spelling before another.
template <class Thing>
std::vector<const Thing*> meant_by(
    const Kind<Thing>& kind, const std::vector<Thing>& all, const std::string& word) {
    std::vector<const Thing*> ids, exact, alike;
    for (const auto& thing : all) {
        const auto names = kind.names(thing);
        if (names.front() == word) ids.push_back(&thing);
        if (std::find(names.begin(), names.end(), word) != names.end()) exact.push_back(&thing);
        if (std::any_of(names.begin(), names.end(), [&](const auto& name) {
                return core::same_ignoring_case(name, word);
            }))
            alike.push_back(&thing);
    }
    return !ids.empty() ? ids : !exact.empty() ? exact : alike;
}

template <class Thing>
Thing only_one(const Kind<Thing>& kind, const std::vector<Thing>& all, const std::string& word) {
    const auto found = word.empty() ? std::vector<const Thing*>() : meant_by(kind, all, word);
    if (found.size() == 1) return *found.front();
    if (found.empty()) {
        Words known;
        for (const auto& thing : all)
            for (auto& name : kind.names(thing))
                if (std::find(known.begin(), known.end(), name) == known.end())
                    known.push_back(std::move(name));
        throw std::runtime_error(
            "there is no " + std::string(kind.what) + " '" + word + "'" +
            did_you_mean(word, known) + "; see consentgate-admin " + kind.list_command);
    }
    std::string several;
    for (std::size_t at = 0; at < std::min(most_listed, found.size()); ++at)
        several += "\n  " + line_of(kind.names(*found[at]));
    if (found.size() > most_listed) several += "\n  ...";
    throw std::runtime_error(
        "'" + word + "' is the name of " + std::to_string(found.size()) +
        "; say the id of the one that you mean:" + several);
}

std::string path_of(const std::string& url) {
    const auto path = url.substr(core::origin_of(url).size());
    return path.empty() ? "/" : path;
}

const Kind<core::ResourceServer> resources{
    "guarded resource", "resource list", [](const core::ResourceServer& server) {
        return Words{
            server.id.text, server.resource, path_of(server.resource), server.description.name};
    }};

const Kind<core::Service> services{"service", "service list", [](const core::Service& service) {
                                       return Words{service.id.text, service.name, service.url};
                                   }};

} // namespace

core::Client named_client(Context& context, const std::string& word) {
    if (const auto known = usecase::find_client(context.deps(), core::ClientId(word)))
        return *known;
    const Kind<core::Client> kind{"client", "client list", [](const core::Client& client) {
                                      return Words{client.id.text, client.name};
                                  }};
    return only_one(kind, usecase::list_clients(context.deps()), word);
}

core::Service named_service(Context& context, const std::string& word) {
    return only_one(services, usecase::list_services(context.deps()), word);
}

core::VirtualKey named_key(Context& context, const std::string& word) {
    if (word.starts_with(core::virtual_key_prefix))
        throw std::runtime_error(
            "that is a virtual key itself, and every user of this machine can read a command line: "
            "name the key by its id, see consentgate-admin key list; and give it another text with "
            "key rotate");
    const Kind<core::VirtualKey> kind{"virtual key", "key list", [](const core::VirtualKey& key) {
                                          return Words{key.id.text, key.name};
                                      }};
    constexpr std::string_view prefix = "key:"; // as rules name it
    return only_one(
        kind, usecase::list_virtual_keys(context.deps()),
        word.starts_with(prefix) ? word.substr(prefix.size()) : word);
}

core::IdentityProvider named_idp(Context& context, const std::string& word) {
    const Kind<core::IdentityProvider> kind{
        "identity provider", "idp list", [](const core::IdentityProvider& idp) {
            return Words{idp.id.text, idp.title, idp.issuer};
        }};
    return only_one(kind, usecase::list_idps(context.deps()), word);
}

core::ResourceServer named_resource(Context& context, const std::string& word, bool active) {
    auto servers = usecase::list_resource_servers(context.deps());
    auto meant = word;
    for (const auto& server : servers)
        if (core::same_resource(server.resource, word)) meant = server.resource;
    // A database of before can have several for one resource.
    auto wanted = servers;
    std::erase_if(wanted, [&](const auto& server) { return server.active != active; });
    if (!meant_by(resources, wanted, meant).empty()) servers = std::move(wanted);
    return only_one(resources, servers, meant);
}

std::string resource_url(Context& context, const std::string& word) {
    if (const auto known = context.config().policy.known_resource(word)) return known->url;
    std::vector<core::ResourceServer> all;
    for (const auto& resource : usecase::guarded_resources(context.deps())) {
        if (core::same_resource(resource.url, word)) return resource.url;
        core::ResourceServer one;
        one.resource = resource.url;
        one.description = resource.description;
        all.push_back(std::move(one));
    }
    const auto meant =
        word.empty() ? std::vector<const core::ResourceServer*>() : meant_by(resources, all, word);
    if (meant.empty()) return word;
    return only_one(resources, all, word).resource;
}

std::string service_id(Context& context, const std::string& word) {
    const auto all = usecase::list_services(context.deps());
    if (word.empty() || meant_by(services, all, word).empty()) return word;
    return only_one(services, all, word).id.text;
}

std::vector<std::string> service_ids(Context& context, const std::vector<std::string>& words) {
    std::vector<std::string> ids;
    for (const auto& word : words)
        ids.push_back(of_option([&] { return named_service(context, word); }).id.text);
    return ids;
}

} // namespace consentgate::app::admin
