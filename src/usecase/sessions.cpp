#include "consentgate/usecase/sessions.h"

#include "not_found.h"

#include "consentgate/core/oauth/verified_user.h"
#include "consentgate/usecase/upstream_revocation.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

bool is_own(
    Dependencies& deps, const core::Session& session, const BrowserContext& browser_context) {
    return browser_context.browser && session.browser == *browser_context.browser &&
           core::check_principal(session.identity, browser_context.remote_user, deps.policy);
}

std::optional<core::SessionView> own_session(
    Dependencies& deps, const core::SessionId& id, const BrowserContext& browser_context) {
    auto view = deps.store.sessions.find(id);
    if (!view || !is_own(deps, view->session, browser_context)) return std::nullopt;
    return view;
}

std::vector<core::SessionView> all_own(
    Dependencies& deps, const BrowserContext& browser_context, core::Instant now) {
    if (!browser_context.browser) return {};
    auto views = deps.store.sessions.list_of_browser(*browser_context.browser, now);
    std::erase_if(
        views, [&](const auto& view) { return !is_own(deps, view.session, browser_context); });
    return views;
}

} // namespace

std::vector<OwnSession> list_own_sessions(
    Dependencies& deps, const BrowserContext& browser_context, core::Instant now) {
    std::vector<OwnSession> sessions;
    for (auto& view : all_own(deps, browser_context, now)) {
        if (!core::check_lasts(view, now)) continue; // refused ones too: a person may end them
        auto services = list_session_services(deps, view, now);
        std::erase_if(services, [](const auto& service) { return !service.token; });
        sessions.push_back({std::move(view), std::move(services)});
    }
    return sessions;
}

std::vector<core::SessionView> list_sessions(Dependencies& deps, core::Instant now) {
    return deps.store.sessions.list(now);
}

core::Checked end_session(Dependencies& deps, const core::SessionId& session, core::Instant now) {
    // The accounts of a virtual key or of a verified user have another owner, and outlive it.
    const auto own = deps.store.accounts.list(core::Owner::of(session));
    if (deps.store.sessions.revoke(session, now) == store::Applied::no)
        return not_found("there is no living session '" + session.text + "'");
    for (const auto& account : own) revoke_now(deps, account, now);
    return core::Nothing{};
}

std::size_t end_own_sessions(
    Dependencies& deps, const std::optional<core::SessionId>& session,
    const BrowserContext& browser_context, core::Instant now) {
    std::vector<core::SessionView> ending;
    if (session) {
        if (auto view = own_session(deps, *session, browser_context))
            ending.push_back(std::move(*view));
    } else {
        ending = all_own(deps, browser_context, now);
    }
    return static_cast<std::size_t>(
        std::count_if(ending.begin(), ending.end(), [&](const auto& view) {
            return static_cast<bool>(end_session(deps, view.session.id, now));
        }));
}

void disconnect_own_service(
    Dependencies& deps, const core::SessionId& session, const core::ServiceId& service,
    const BrowserContext& browser_context, core::Instant now) {
    const auto view = own_session(deps, session, browser_context);
    if (!view || !core::check_lasts(*view, now)) return;
    const auto owner = view->session.identity.owner(view->session.id);
    if (const auto account = deps.store.accounts.find(owner, service))
        disconnect(deps, *account, now);
}

} // namespace consentgate::usecase
