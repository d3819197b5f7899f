#include "consentgate/core/oauth/who_may_register.h"

#include "consentgate/core/base/text.h"
#include "host_list.h"

namespace consentgate::core {
namespace {

// The ways in which a program can come by itself; empty when there is none.
std::string ways(const Policy& policy) {
    if (policy.registration_enabled && policy.documents.accepted)
        return "any program may register itself or describe itself in a document";
    if (policy.registration_enabled) return "any program may register itself";
    if (policy.documents.accepted) return "any program may describe itself in a document";
    return {};
}

// The addresses to which it may lead people, as a list; "any address" without a limit.
std::string addresses(const RedirectPolicy& policy) {
    if (!policy.hosts && !policy.schemes) return "any address";
    std::vector<std::string> parts;
    if (!policy.hosts) parts.emplace_back("any host");
    for (const auto& host : policy.hosts.value_or(std::vector<std::string>()))
        parts.push_back(host == loopback_word ? "the person's own computer" : host);
    if (!policy.schemes) parts.emplace_back("any app's scheme");
    for (const auto& scheme : policy.schemes.value_or(std::vector<std::string>()))
        parts.push_back(scheme + ":");
    return parts.empty() ? "no address" : join(parts, ", ");
}

} // namespace

std::string who_may_register(const Policy& policy) {
    const auto found = ways(policy);
    if (found.empty())
        return "no program may register itself: only those of `client add` are known";
    return found + ", and lead people back to " + addresses(policy.redirects);
}

} // namespace consentgate::core
