#include "consentgate/usecase/sessions.h"

#include "consentgate/usecase/upstream_endings.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

std::optional<core::SessionView> own_session(World& world, const std::string& id, const core::Digest& browser) {
    auto view = world.store.find_session(core::SessionId(id));
    if (!view || !(view->session.browser == browser)) return std::nullopt;
    return view;
}

} // namespace

std::vector<OwnSession> list_own_sessions(World& world, const core::Digest& browser, core::Instant now) {
    std::vector<OwnSession> sessions;
    for (auto& view : world.store.list_browser_sessions(browser, now)) {
        if (!core::why_over(view, now).empty()) continue;
        auto services = list_session_services(world, view, now);
        std::erase_if(services, [](const auto& service) { return !service.token; });
        sessions.push_back({std::move(view), std::move(services)});
    }
    return sessions;
}

store::Outcome end_session(World& world, const core::Session& session, core::Instant now) {
    const auto own = world.store.list_upstream_tokens(core::token_owner(core::Identity{}, session.id)); // none when they are a key's or a person's
    const auto outcome = world.store.revoke_session(session.id, now);
    for (const auto& token : own) tell_now(world, token, now);
    return outcome;
}

std::size_t end_own_sessions(World& world, const core::Form& form, const core::Digest& browser, core::Instant now) {
    std::vector<core::SessionView> ending;
    if (const auto id = form.get("session_id")) {
        if (auto view = own_session(world, *id, browser)) ending.push_back(std::move(*view));
    } else {
        ending = world.store.list_browser_sessions(browser, now);
    }
    return static_cast<std::size_t>(
        std::count_if(ending.begin(), ending.end(), [&](const auto& view) { return end_session(world, view.session, now) == store::Outcome::done; }));
}

void disconnect_own_service(World& world, const core::Form& form, const core::Digest& browser, core::Instant now) {
    const auto view = own_session(world, form.get("session_id").value_or(""), browser);
    if (!view || !core::why_over(*view, now).empty()) return;
    const auto owner = core::token_owner(view->session.identity, view->session.id);
    const auto token = world.store.find_upstream_token(owner, core::ServiceId(form.get("mcp_client_id").value_or("")));
    if (token) disconnect(world, *token, now);
}

} // namespace consentgate::usecase
