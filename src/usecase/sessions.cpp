#include "consentgate/usecase/sessions.h"

#include "not_found.h"

#include "consentgate/core/oauth/introspection.h"
#include "consentgate/core/oauth/verified_user.h"
#include "consentgate/usecase/upstream_revocation.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

constexpr std::size_t batch = 100; // sessions of one transaction

// A person who is signed in at a provider sees their sessions in whatever browser they began.
bool is_own(
    Dependencies& deps, const core::Session& session, const BrowserContext& browser_context) {
    if (session.identity.is_person() && browser_context.signed_in)
        return browser_context.signed_in->identity() == session.identity;
    return browser_context.browser && session.browser == *browser_context.browser &&
           core::check_principal(session.identity, browser_context.proven_user(), deps.policy);
}

std::optional<core::SessionView> own_session(
    Dependencies& deps, const core::SessionId& id, const BrowserContext& browser_context) {
    auto view = deps.store.sessions.find(id);
    if (!view || !is_own(deps, view->session, browser_context)) return std::nullopt;
    return view;
}

// A page that shows a person their own sessions names no others.
core::Result<std::optional<core::SessionView>> named_session(
    Dependencies& deps, const core::SessionId& id, const BrowserContext& browser_context) {
    auto view = own_session(deps, id, browser_context);
    if (!view && browser_context.signed_in)
        return not_found("you have no such session, in this browser or any other");
    return view;
}

bool is_of_signed_in(const core::Session& session, const BrowserContext& browser_context) {
    return browser_context.signed_in && session.identity == browser_context.signed_in->identity();
}

std::vector<core::SessionView> all_own(
    Dependencies& deps, const BrowserContext& browser_context, core::Instant now) {
    std::vector<core::SessionView> views;
    if (browser_context.browser)
        views = deps.store.sessions.list_of_browser(*browser_context.browser, now);
    if (browser_context.signed_in) {
        auto theirs = deps.store.sessions.list_of_person(browser_context.signed_in->person.id, now);
        std::erase_if(theirs, [&](const auto& view) {
            return browser_context.browser && view.session.browser == *browser_context.browser;
        });
        std::move(theirs.begin(), theirs.end(), std::back_inserter(views));
    }
    std::erase_if(
        views, [&](const auto& view) { return !is_own(deps, view.session, browser_context); });
    return views;
}

std::vector<ServiceView> connected_only(std::vector<ServiceView> services) {
    std::erase_if(services, [](const auto& service) { return !service.token; });
    return services;
}

} // namespace

std::vector<OwnSession> list_own_sessions(
    Dependencies& deps, const BrowserContext& browser_context, core::Instant now) {
    std::vector<OwnSession> sessions;
    for (auto& view : all_own(deps, browser_context, now)) {
        if (!core::check_lasts(view, now)) continue; // refused ones too: a person may end them
        std::vector<ServiceView> services;
        if (!is_of_signed_in(view.session, browser_context))
            services = connected_only(list_session_services(deps, view, now));
        sessions.push_back({std::move(view), std::move(services)});
    }
    return sessions;
}

std::vector<ServiceView> list_own_accounts(
    Dependencies& deps, const BrowserContext& browser_context, core::Instant now) {
    if (!browser_context.signed_in) return {};
    return connected_only(list_person_services(deps, browser_context.signed_in->identity(), now));
}

std::vector<core::SessionView> list_sessions(
    Dependencies& deps, core::Instant now, const core::SessionFilter& filter, std::size_t limit) {
    return deps.store.sessions.list(now, filter, limit);
}

core::Result<FoundSession> find_session(Dependencies& deps, const core::SessionId& id) {
    auto view = deps.store.sessions.find(id);
    if (!view) return not_found("there is no session '" + id.text + "'");
    auto accounts = deps.store.accounts.list(view->session.identity.owner(id));
    return FoundSession{std::move(*view), std::move(accounts)};
}

void audit_session_end(Dependencies& deps, const core::Session& session, std::string_view by) {
    deps.log.audit(
        "session_ended", {{"by", by},
                          {"session", session.id.text},
                          {"client", session.client_id.text},
                          {"subject", core::logged_subject(session)}});
}

std::size_t end_sessions(
    Dependencies& deps, const core::SessionFilter& filter, core::Instant now,
    const std::function<void(std::size_t)>& after_batch, std::string_view by) {
    std::size_t count = 0;
    for (std::string after;;) {
        const auto ended = deps.store.sessions.revoke_some(filter, after, now, batch);
        if (!ended.last) return count;
        after = *ended.last;
        for (const auto& session : ended.sessions) {
            audit_session_end(deps, session, by);
        }
        count += ended.sessions.size();
        after_batch(count);
    }
}

std::size_t end_linked_accounts(Dependencies& deps, const core::Owner& owner, core::Instant now) {
    const auto accounts = deps.store.accounts.list(owner);
    for (const auto& account : accounts) {
        disconnect(deps, account, now);
        deps.log.audit(
            "account_disconnected", {{"by", "operator"},
                                     {"service", account.service.text},
                                     {"subject", core::logged_owner(owner, deps.policy)}});
    }
    return accounts.size();
}

core::Result<core::Session> end_session(
    Dependencies& deps, const core::SessionId& session, core::Instant now) {
    auto view = deps.store.sessions.find(session);
    // The accounts of a virtual key or of a verified user have another owner, and outlive it.
    const auto own = deps.store.accounts.list(core::Owner::of(session));
    if (!view || deps.store.sessions.revoke(session, now) == store::Applied::no)
        return not_found("there is no living session '" + session.text + "'");
    for (const auto& account : own) revoke_now(deps, account, now);
    return std::move(view->session);
}

core::Result<std::vector<core::Session>> end_own_sessions(
    Dependencies& deps, const std::optional<core::SessionId>& session,
    const BrowserContext& browser_context, core::Instant now) {
    std::vector<core::SessionView> ending;
    if (session) {
        auto view = named_session(deps, *session, browser_context);
        if (!view) return view.error();
        if (*view) ending.push_back(std::move(**view));
    } else {
        ending = all_own(deps, browser_context, now);
    }
    std::vector<core::Session> ended;
    for (const auto& view : ending) {
        if (auto one = end_session(deps, view.session.id, now)) ended.push_back(std::move(*one));
    }
    return ended;
}

core::Result<std::optional<core::Session>> disconnect_own_service(
    Dependencies& deps, const core::SessionId& session, const core::ServiceId& service,
    const BrowserContext& browser_context, core::Instant now) {
    using Ended = std::optional<core::Session>;
    auto named = named_session(deps, session, browser_context);
    if (!named) return named.error();
    auto& view = *named;
    if (!view || !core::check_lasts(*view, now)) return Ended();
    const auto owner = view->session.identity.owner(view->session.id);
    const auto account = deps.store.accounts.find(owner, service);
    if (!account) return Ended();
    disconnect(deps, *account, now);
    return Ended(std::move(view->session));
}

bool disconnect_own_account(
    Dependencies& deps, const core::ServiceId& service, const BrowserContext& browser_context,
    core::Instant now) {
    if (!browser_context.signed_in) return false;
    const auto owner = browser_context.signed_in->identity().owner(core::SessionId());
    const auto account = deps.store.accounts.find(owner, service);
    if (account) disconnect(deps, *account, now);
    return account.has_value();
}

core::Result<core::Secret> connect_own_service(
    Dependencies& deps, const core::SessionId& session, const core::ServiceId& service,
    core::WhichAccount which, const BrowserContext& browser_context, core::Instant now) {
    const auto view = own_session(deps, session, browser_context);
    if (!view || !browser_context.browser || !core::check_session(*view, deps.policy, now))
        return not_found("there is no such session in this browser");
    return connect_for_session(deps, *view, service, which, *browser_context.browser, now);
}

} // namespace consentgate::usecase
