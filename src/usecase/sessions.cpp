#include "consentgate/usecase/sessions.h"

#include "consentgate/core/verified_user.h"
#include "consentgate/usecase/upstream_endings.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

bool is_own(World& world, const core::Session& session, const Actor& actor) {
    return actor.browser && session.browser == *actor.browser && core::check_asker(session.identity, actor.remote_user, world.policy);
}

std::optional<core::SessionView> own_session(World& world, const std::string& id, const Actor& actor) {
    auto view = world.store.find_session(core::SessionId(id));
    if (!view || !is_own(world, view->session, actor)) return std::nullopt;
    return view;
}

std::vector<core::SessionView> all_own(World& world, const Actor& actor, core::Instant now) {
    if (!actor.browser) return {};
    auto views = world.store.list_browser_sessions(*actor.browser, now);
    std::erase_if(views, [&](const auto& view) { return !is_own(world, view.session, actor); });
    return views;
}

} // namespace

std::vector<OwnSession> list_own_sessions(World& world, const Actor& actor, core::Instant now) {
    std::vector<OwnSession> sessions;
    for (auto& view : all_own(world, actor, now)) {
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

std::size_t end_own_sessions(World& world, const core::Form& form, const Actor& actor, core::Instant now) {
    std::vector<core::SessionView> ending;
    if (const auto id = form.get("session_id")) {
        if (auto view = own_session(world, *id, actor)) ending.push_back(std::move(*view));
    } else {
        ending = all_own(world, actor, now);
    }
    return static_cast<std::size_t>(
        std::count_if(ending.begin(), ending.end(), [&](const auto& view) { return end_session(world, view.session, now) == store::Outcome::done; }));
}

void disconnect_own_service(World& world, const core::Form& form, const Actor& actor, core::Instant now) {
    const auto view = own_session(world, form.get("session_id").value_or(""), actor);
    if (!view || !core::why_over(*view, now).empty()) return;
    const auto owner = core::token_owner(view->session.identity, view->session.id);
    const auto token = world.store.find_upstream_token(owner, core::ServiceId(form.get("mcp_client_id").value_or("")));
    if (token) disconnect(world, *token, now);
}

} // namespace consentgate::usecase
