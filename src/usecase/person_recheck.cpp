#include "consentgate/usecase/person_recheck.h"

#include "provider_call.h"
#include "provider_proof.h"
#include "service_call.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/signin/membership.h"
#include "consentgate/core/signin/recheck.h"
#include "consentgate/usecase/people.h"
#include "consentgate/usecase/provider_keys.h"

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using store::Applied;

// Longer than the calls of one question; a provider that does not answer rests as long.
constexpr core::Span lease_time{60};

core::Error no_answer(std::string reason) {
    return core::make_error(
        ErrorCode::service_unavailable,
        core::PublicMessage{"the identity provider does not answer"},
        core::LogDetail{std::move(reason)});
}

struct Question {
    const core::IdentityProvider& idp;
    const core::Person& person;
    core::ProviderGrant grant;
    std::string lease;
};

// out: the provider's answer to the refresh token
core::Result<core::ServiceReply> redeem_grant(
    Dependencies& deps, const core::IdentityProvider& idp, const core::Secret& refresh_token,
    core::Instant now) {
    const auto secret = client_secret_of(deps, idp);
    if (!secret) return secret.error();
    auto request = core::recheck_request(idp, *secret, refresh_token);
    auto answer = ask_token_endpoint(deps, idp, *secret, std::move(request), now);
    if (!answer) return answer.error();
    return reply_of(std::move(*answer));
}

// The person as the tokens and the userinfo say.
core::Result<core::Person> read_person(
    Dependencies& deps, const Question& question, const core::RenewedTokens& tokens,
    core::Instant now) {
    const auto& [idp, person, grant, lease] = question;
    auto proved = core::claims_without_id_token(person, now);
    auto keys = core::read_provider_keys(idp.jwks);
    if (tokens.id_token) {
        keys = provider_keys_for(deps, idp, tokens.id_token->reveal(), now);
        if (!keys) return keys.error();
        auto believed = core::validate_renewed_id_token(tokens, idp, *keys, person, now);
        if (!believed) return believed.error();
        proved = std::move(*believed);
    }
    if (!keys) return keys.error();
    const auto userinfo = ask_userinfo(deps, idp, proved, tokens.access_token, *keys);
    if (!userinfo) return userinfo.error();
    if (!tokens.id_token && !*userinfo) { // it says that the person may, and nothing else
        auto same = person;
        same.checked_at = now;
        return same;
    }
    auto claims = core::person_claims(proved, *userinfo, idp);
    ask_missing_groups(deps, idp, tokens.access_token, claims);
    auto renewed = core::rechecked_person(person, proved, claims, now);
    if (!tokens.id_token) renewed.claims = person.claims; // some are of the ID token alone
    return renewed;
}

struct Answered {
    core::Result<core::Person> person;
    std::optional<core::Secret> refresh_token{}; // absent: the old one stays
};

core::Result<Answered> ask_openid_provider(
    Dependencies& deps, const Question& question, const core::Secret& kept, core::Instant now) {
    const auto reply = redeem_grant(deps, question.idp, kept, now);
    if (!reply) return reply.error();
    auto tokens = core::read_renewed_tokens(*reply);
    if (!tokens) return tokens.error();
    return Answered{read_person(deps, question, *tokens, now), std::move(tokens->refresh_token)};
}

core::Result<Answered> ask_github_again(
    Dependencies& deps, const Question& question, const core::Secret& kept, core::Instant now) {
    const auto& person = question.person;
    auto token = core::github_token_of(kept);
    if (!token) {
        const auto reply = redeem_grant(deps, question.idp, kept, now);
        if (!reply) return reply.error();
        auto renewed = core::read_renewed_github_token(*reply);
        if (!renewed) return renewed.error();
        token = std::move(*renewed);
    }
    auto found = ask_github(deps, question.idp, *token, now);
    if (!found) return Answered{found.error(), std::move(token->refresh_token)};
    if (found->token.subject != person.subject) return no_answer("the token is of another account");
    return Answered{
        core::rechecked_person(person, found->token, found->claims, now),
        std::move(token->refresh_token)};
}

// Unknown groups are no word about who is in which; then the provider is asked again.
core::Checked check_still_member(const core::IdentityProvider& idp, const core::Person& person) {
    auto member = core::check_membership(idp, person);
    if (member) return member;
    if (!person.groups_known) return no_answer("the groups are unknown");
    return core::make_error(
        ErrorCode::invalid_grant, core::PublicMessage{"the person has to sign in again"},
        core::LogDetail{member.error().reason});
}

core::Result<Recheck> ask(Dependencies& deps, const Question& question, core::Instant now) {
    const auto place = deps.enter(sys::PlaceKind::signin, question.idp.token_endpoint);
    if (!place) return no_place();
    auto grant = question.grant;
    const auto kept =
        core::unseal(deps.keyring, grant.key_id, grant.refresh_token, grant.refresh_token_aad());
    if (!kept) return does_not_open("a provider's refresh token");
    const auto answer = question.idp.has_id_tokens()
                            ? ask_openid_provider(deps, question, *kept, now)
                            : ask_github_again(deps, question, *kept, now);
    if (!answer) return answer.error();
    const auto& [person, next] = *answer;
    if (next) {
        grant.key_id = deps.keyring.newest();
        grant.refresh_token = seal(deps, grant.refresh_token_aad(), *next);
    }
    // The former token may be good no more, so the next one is kept whatever else was said.
    auto believed = person ? check_still_member(question.idp, *person) : person.error();
    if (!believed) {
        deps.store.grants.rekey(grant, question.grant);
        return std::move(believed).error();
    }
    if (deps.store.grants.renew(grant, question.lease, *person) == Applied::no)
        return Recheck::unknown; // the person signed in meanwhile
    return Recheck::good;
}

// A sign-in meanwhile brought a grant of its own, and is not over.
core::Checked end_refused(
    Dependencies& deps, const Question& question, const core::Error& refusal, core::Instant now) {
    if (!deps.store.grants.holds(question.person.id, question.lease)) return core::Nothing{};
    end_refused_person(deps, question.person, now);
    return refusal;
}

core::Result<Recheck> unanswered(
    Dependencies& deps, const core::IdentityProvider& idp, const core::Person& person,
    const std::string& reason, core::Instant now) {
    const bool goes_on = core::may_go_on_unchecked(idp, person, now);
    deps.log.event(
        "recheck", {{"idp", idp.id.text},
                    {"subject", core::short_name_of(person.id)},
                    {"outcome", goes_on ? "unknown" : "unavailable"},
                    {"reason", reason}});
    if (goes_on) return Recheck::unknown;
    return unavailable("no word of " + idp.id.text + " for too long: " + reason, core::Span(60));
}

} // namespace

void keep_provider_grant(
    Dependencies& deps, const core::IdentityProvider& idp, const core::PersonId& person,
    const std::optional<core::Secret>& refresh_token) {
    if (!idp.recheck_after || !refresh_token) return;
    core::ProviderGrant grant{.person = person, .key_id = deps.keyring.newest()};
    grant.refresh_token = seal(deps, grant.refresh_token_aad(), *refresh_token);
    deps.store.grants.put(grant);
}

void end_refused_person(Dependencies& deps, const core::Person& person, core::Instant now) {
    const auto ended = end_standing(deps, person.id, core::SigninEnd::logged_out, now);
    deps.store.grants.remove(person.id);
    deps.log.audit(
        "recheck_refused", {{"idp", person.idp.text},
                            {"subject", core::short_name_of(person.id)},
                            {"signins", std::to_string(ended.signins)},
                            {"sessions", std::to_string(ended.sessions)}});
}

core::Result<Recheck> recheck_person(
    Dependencies& deps, const core::Person& person, core::Instant now) {
    const auto idp = deps.store.idps.find(person.idp);
    if (!idp || !core::recheck_is_due(*idp, person, now)) return Recheck::not_asked;
    auto grant = deps.store.grants.find(person.id);
    if (!grant) return Recheck::not_asked;
    const Question question{*idp, person, std::move(*grant), deps.random.id(16)};
    if (deps.store.grants.claim(person.id, question.lease, now, now + lease_time) == Applied::no)
        return unanswered(deps, *idp, person, "another worker asks, or it rests", now);
    // Whoever asked a moment ago gave the right to ask back, with the answer.
    const auto known = deps.store.people.find(person.id);
    if (!known || known->checked_at != person.checked_at) return Recheck::good;
    auto answer = ask(deps, question, now);
    if (answer) return answer;
    if (answer.error().code != ErrorCode::invalid_grant)
        return unanswered(deps, *idp, person, answer.error().reason, now);
    if (auto over = end_refused(deps, question, answer.error(), now); !over) return over.error();
    return Recheck::unknown;
}

} // namespace consentgate::usecase
