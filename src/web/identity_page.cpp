#include "identity_page.h"

#include "consentgate/core/oauth/admission.h"
#include "consentgate/web/requests.h"

namespace consentgate::web {
namespace {

constexpr const char* mistakes[] = {
    "invalid_virtual_key", "invalid_user_id", "identity_required", "identity_not_allowed"};

} // namespace

void show_ways(
    View& view, std::string_view mistake, bool signs_in, bool keys, const core::Policy& policy) {
    const bool key = keys && core::is_offered(core::IdentityKind::virtual_key, policy);
    const bool user = core::is_offered(core::IdentityKind::user_id, policy);
    const bool skip = core::is_offered(core::IdentityKind::skipped, policy);
    const bool user_open = user && (mistake == "invalid_user_id" || (!key && !signs_in));
    const bool key_open = key && !user_open && (!signs_in || mistake == "invalid_virtual_key");
    view.flag("offers_virtual_key", key).flag("offers_user_id", user).flag("offers_skip", skip);
    view.flag("opens_virtual_key", key_open)
        .flag("opens_user_id", user_open)
        .flag("opens_skip", skip && !key && !user && !signs_in);
    // Beside the ways that a provider proves, the others are one line, until one of them is wanted.
    const int ways = int{key} + int{user} + int{skip};
    view.flag("has_ways", ways > 0)
        .flag("folds_ways", signs_in && ways > 1)
        .flag("opens_ways", !mistake.empty() && mistake != "signin_denied");
}

std::string_view show_mistake(
    View& view, const core::Form& query, const std::vector<core::IdentityProvider>& providers) {
    std::string_view mistake;
    for (const auto* word : mistakes) {
        if (query.get("error") != word) continue;
        view.flag(std::string("error_") + word, true);
        mistake = word;
    }
    for (const auto& idp : providers) {
        if (query.get("error") != "signin_denied" || query.get(field::idp) != idp.id.text) continue;
        view.flag("error_signin_denied", true).set("mistake_title", idp.title);
        mistake = "signin_denied";
    }
    view.flag("has_error", !mistake.empty());
    return mistake;
}

bool goes_straight(
    const std::vector<core::IdentityProvider>& providers, const core::Form& query,
    const usecase::BrowserContext& browser_context, const core::Policy& policy) {
    return policy.signin_straight && providers.size() == 1 && !browser_context.signed_in &&
           query.count("error") == 0 &&
           !core::is_offered(core::IdentityKind::virtual_key, policy) &&
           !core::is_offered(core::IdentityKind::user_id, policy) &&
           !core::is_offered(core::IdentityKind::skipped, policy);
}

} // namespace consentgate::web
