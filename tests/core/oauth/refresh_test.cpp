#include "consentgate/core/oauth/refresh.h"

#include "tests/support/requests.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

Parameters sample_refresh() {
    return {
        {"grant_type", "refresh_token"},
        {"client_id", "cgc_sample"},
        {"refresh_token", "cgr_" + std::string(43, 'r')}};
}

// A refresh token and its session, as stored, and a request that fits them; a case spoils some of
// it.
struct Presented {
    Parameters form = sample_refresh();
    std::optional<RefreshView> found = stored();
    Policy policy = sample_policy();
    Instant now = noon + Span(3600);

    static RefreshView stored() {
        auto session = sample_finalization().session;
        session.scope = scopes("mcp profile");
        session.expires_at = noon + Span(30 * 86400);
        session.token_expires_at = noon + Span(86400);
        return {
            {sha256("cgr_" + std::string(43, 'r')), session.id, KeyId("k1"),
             noon + Span(30 * 86400), std::nullopt},
            {session, "Sample", true, std::nullopt}};
    }
    std::string verdict() const {
        const auto request =
            parse_refresh(web::read_token_request(form.form()), ClientId(form.value("client_id")));
        if (!request) return code_of(request);
        const auto valid = validate_refresh(*request, found, policy, now);
        if (!valid) return code_of(valid);
        switch (*valid) {
        case RefreshUse::rotate: return "rotate";
        case RefreshUse::repeat: return "repeat";
        case RefreshUse::late_repeat: return "late";
        case RefreshUse::reuse: break;
        }
        return "reuse";
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(refresh)

BOOST_AUTO_TEST_CASE(a_refresh_names_its_client_and_its_token_once, *label("T5") * label("T20")) {
    BOOST_TEST(
        code_of(parse_refresh(
            web::read_token_request(sample_refresh().form()), ClientId("cgc_sample"))) == "ok");
    BOOST_TEST(
        code_of(parse_refresh(
            web::read_token_request(sample_refresh().without("refresh_token").form()),
            ClientId("cgc_sample"))) == "invalid_request");
    BOOST_TEST(
        code_of(parse_grant_type(
            web::read_token_request(sample_refresh().also("refresh_token", "x").form()),
            sample_policy())) == "invalid_request");
    BOOST_TEST(
        code_of(parse_refresh(
            web::read_token_request(sample_refresh().also("scope", "").form()),
            ClientId("cgc_sample"))) == "ok"); // empty is absent
    BOOST_TEST(
        code_of(parse_refresh(
            web::read_token_request(sample_refresh().with("scope", "a\"b").form()),
            ClientId("cgc_sample"))) == "invalid_scope");
    BOOST_TEST(
        code_of(parse_refresh(
            web::read_token_request(sample_refresh()
                                        .also("resource", "https://a.example")
                                        .also("resource", "https://b.example")
                                        .form()),
            ClientId("cgc_sample"))) == "invalid_target");
}

BOOST_AUTO_TEST_CASE(
    a_token_is_rotated_by_its_own_client_in_its_time, *label("T20") * label("T25") * label("T28")) {
    BOOST_TEST(Presented().verdict() == "rotate");
    Presented other;
    other.form = sample_refresh().with("client_id", "cgc_other");
    BOOST_TEST(other.verdict() == "invalid_grant");
    Presented unknown;
    unknown.found.reset();
    BOOST_TEST(unknown.verdict() == "invalid_grant");
    Presented idle;
    idle.now = noon + Span(30 * 86400 - 1);
    BOOST_TEST(idle.verdict() == "rotate");
    idle.now = noon + Span(30 * 86400);
    BOOST_TEST(idle.verdict() == "invalid_grant");
    Presented revoked;
    revoked.found->session.session.revoked_at = noon;
    BOOST_TEST(revoked.verdict() == "invalid_grant");
    Presented disabled;
    disabled.found->session.client_active = false;
    BOOST_TEST(disabled.verdict() == "invalid_grant");
}

BOOST_AUTO_TEST_CASE(a_virtual_key_that_no_longer_stands_refreshes_nothing, *label("T25")) {
    Presented by_key;
    by_key.found->session.session.identity = {IdentityKind::virtual_key, "vk_sample"};
    BOOST_TEST(by_key.verdict() == "invalid_grant"); // deleted
    by_key.found->session.virtual_key = sample_virtual_key();
    BOOST_TEST(by_key.verdict() == "rotate");
    by_key.found->session.virtual_key->active = false;
    BOOST_TEST(by_key.verdict() == "invalid_grant");
}

BOOST_AUTO_TEST_CASE(
    a_used_token_is_repeated_for_a_moment_then_late_within_the_grace_and_reused_after_it,
    *label("T22") * label("T23") * label("K14") * label("XE4")) {
    Presented used;
    used.found->token.used_at = used.now;
    for (const auto& [grace, since, verdict] : std::vector<std::tuple<int, int, std::string>>{
             {3600, -5, "repeat"}, // another machine's clock is behind
             {3600, 0, "repeat"},
             {3600, 29, "repeat"},
             {3600, 30, "late"},
             {3600, 3599, "late"},
             {3600, 3600, "reuse"},
             {30, 29, "repeat"},
             {30, 30, "reuse"},
             {31, 30, "late"},
             {2, 1, "repeat"},
             {2, 2, "reuse"},
             {0, 0, "reuse"}}) {
        used.policy.refresh_grace = Span(grace);
        used.now = *used.found->token.used_at + Span(since);
        BOOST_TEST_CONTEXT(since << " of " << grace) BOOST_TEST(used.verdict() == verdict);
    }
}

BOOST_AUTO_TEST_CASE(
    a_late_repeat_is_for_five_times_while_nobody_used_the_successor, *label("XE4")) {
    auto used = Presented::stored().token;
    used.used_at = noon;
    const auto unused = std::optional(Presented::stored());
    auto spent = unused;
    spent->token.used_at = noon + Span(1);
    for (const auto& [repeats, successor, allowed] :
         std::vector<std::tuple<int, std::optional<RefreshView>, bool>>{
             {0, unused, true},
             {4, unused, true},
             {5, unused, false},
             {6, unused, false},
             {0, spent, false},
             {0, std::nullopt, false}}) {
        used.late_repeats = repeats;
        BOOST_TEST_CONTEXT(repeats) BOOST_TEST(may_repeat_late(used, successor) == allowed);
    }
}

BOOST_AUTO_TEST_CASE(a_session_that_is_older_than_sessions_may_be_now_gets_nothing, *label("T25")) {
    Presented old;
    old.policy.refresh_lifetime = Span(3601);
    BOOST_TEST(old.verdict() == "rotate");
    old.policy.refresh_lifetime = Span(3600);
    BOOST_TEST(old.verdict() == "invalid_grant");
}

// A thief who knows a used token but not more must not end the family of its owner.
BOOST_AUTO_TEST_CASE(only_a_request_that_is_otherwise_right_can_be_a_reuse, *label("T22")) {
    Presented late;
    late.found->token.used_at = noon;
    for (const auto& [at, verdict] :
         std::vector<std::pair<int, std::string>>{{60, "late"}, {3600, "reuse"}}) {
        late.now = noon + Span(at);
        late.form = sample_refresh();
        BOOST_TEST(late.verdict() == verdict);
        late.form = sample_refresh().with("client_id", "cgc_other");
        BOOST_TEST(late.verdict() == "invalid_grant");
        late.form = sample_refresh().with("resource", "https://else.example/mcp");
        BOOST_TEST(late.verdict() == "invalid_target");
    }
}

BOOST_AUTO_TEST_CASE(
    scope_and_resource_are_narrowed_never_widened,
    *label("T18") * label("T24") * label("K36") * label("K37") * label("XE3")) {
    Presented asked;
    asked.policy.scopes.push_back({"admin", "Change everything"}); // known, and not granted
    for (const auto& [scope, verdict] : std::vector<std::pair<std::string, std::string>>{
             {"mcp", "rotate"},
             {"profile mcp", "rotate"},
             {"mcp nonsense", "rotate"},
             {"openid", "rotate"},
             {"mcp admin", "invalid_scope"},
             {"admin", "invalid_scope"}}) {
        asked.form = sample_refresh().with("scope", scope);
        BOOST_TEST_CONTEXT(scope) BOOST_TEST(asked.verdict() == verdict);
    }
    asked.form = sample_refresh().with("resource", "HTTPS://tools.example.org/mcp");
    BOOST_TEST(asked.verdict() == "rotate");
    asked.form = sample_refresh().with("resource", "https://tools.example.org/other");
    BOOST_TEST(asked.verdict() == "invalid_target");
}

BOOST_AUTO_TEST_CASE(a_refresh_that_names_no_known_scope_gets_what_the_session_has, *label("XE3")) {
    const Secret token("cgr_" + std::string(43, 'r'));
    const auto granted = [&](std::string_view asked) {
        return rotate(
                   token, Presented::stored(), scopes(asked), sample_keyring(), sample_policy(),
                   noon)
            ->granted.session.scope.text();
    };
    const auto all = Presented::stored().session.session.scope.text();
    BOOST_TEST(granted("openid offline_access") == all);
    BOOST_TEST(granted("mcp nonsense") == "mcp");
}

BOOST_AUTO_TEST_CASE(
    the_same_token_always_gives_the_same_successors, *label("T21") * label("T23")) {
    const Secret token("cgr_" + std::string(43, 'r'));
    const auto found = Presented::stored();
    const auto once = rotate(token, found, std::nullopt, sample_keyring(), sample_policy(), noon);
    const auto again = rotate(token, found, std::nullopt, sample_keyring(), sample_policy(), noon);
    BOOST_REQUIRE((once && again));
    BOOST_TEST((once->granted.token.reveal() == again->granted.token.reveal()));
    BOOST_TEST((once->granted.refresh_token->reveal() == again->granted.refresh_token->reveal()));
    BOOST_TEST((once->granted.refresh_token->reveal() != token.reveal()));
    BOOST_TEST(once->granted.refresh_token->reveal().starts_with("cgr_"));
    BOOST_TEST(once->granted.token.reveal().starts_with("cgs_"));
    BOOST_TEST(once->granted.token.reveal().size() == 47U);
    BOOST_TEST((once->rotation.used == sha256(token)));
    BOOST_TEST((once->rotation.next.hash == sha256(*once->granted.refresh_token)));
    BOOST_TEST((once->rotation.access.hash == sha256(once->granted.token)));
    // Another server key, or another scope, another token: neither the old token nor the database
    // gives it away.
    const Keyring other({{KeyId("k1"), Secret(std::string(32, '\2'))}});
    BOOST_TEST(
        (rotate(token, found, std::nullopt, other, sample_policy(), noon)->granted.token.reveal() !=
         once->granted.token.reveal()));
    BOOST_TEST(
        (rotate(token, found, scopes("mcp"), sample_keyring(), sample_policy(), noon)
             ->granted.token.reveal() != once->granted.token.reveal()));
    BOOST_TEST(!rotate(
                    token, found, std::nullopt,
                    Keyring({{KeyId("k2"), Secret(std::string(32, '\1'))}}), sample_policy(), noon)
                    .has_value());
}

BOOST_AUTO_TEST_CASE(
    a_repeated_rotation_is_the_same_until_its_access_token_is_over, *label("T27") * label("XE4")) {
    const Secret token("cgr_" + std::string(43, 'r'));
    auto policy = sample_policy();
    policy.session_lifetime = Span(600);
    auto found = Presented::stored();
    const auto once = rotate(token, found, std::nullopt, sample_keyring(), policy, noon);
    found.token.used_at = noon;
    const auto again = [&](int after) {
        return *repeat_rotation(
            token, found, std::nullopt, sample_keyring(), policy, noon + Span(after));
    };
    const auto same = again(599), later = again(600);
    BOOST_TEST((same.granted.token.reveal() == once->granted.token.reveal()));
    BOOST_TEST((same.rotation.access.expires_at == noon + Span(600)));
    BOOST_TEST((later.granted.token.reveal() != once->granted.token.reveal()));
    BOOST_TEST((later.granted.token.reveal() != again(601).granted.token.reveal()));
    BOOST_TEST((later.granted.token.reveal() == again(600).granted.token.reveal()));
    BOOST_TEST((later.rotation.access.expires_at == noon + Span(1200)));
    BOOST_TEST((later.rotation.access.hash == sha256(later.granted.token)));
    for (const auto& one : {same, later}) {
        BOOST_TEST((one.granted.refresh_token->reveal() == once->granted.refresh_token->reveal()));
        BOOST_TEST((one.rotation.next.hash == once->rotation.next.hash));
        BOOST_TEST((one.rotation.next.expires_at == once->rotation.next.expires_at));
    }
    policy.refresh_lifetime = Span(900); // no token outlives its session
    BOOST_TEST((again(600).rotation.access.expires_at == noon + Span(900)));
}

BOOST_AUTO_TEST_CASE(a_narrowed_access_token_leaves_the_session_its_scope, *label("T24")) {
    const auto narrowed = rotate(
        Secret("x"), Presented::stored(), scopes("mcp"), sample_keyring(), sample_policy(), noon);
    BOOST_TEST(narrowed->granted.session.scope.text() == "mcp");
    BOOST_TEST(narrowed->rotation.access.scope.text() == "mcp");
}

BOOST_AUTO_TEST_CASE(
    a_session_lasts_30_idle_days_and_90_in_all, *label("T25") * label("T27") * label("S14")) {
    const auto at = [](std::int64_t days) {
        return rotate(
            Secret("x"), Presented::stored(), std::nullopt, sample_keyring(), sample_policy(),
            noon + Span(days * 86400));
    };
    BOOST_TEST((at(1)->rotation.next.expires_at == noon + Span(31 * 86400)));
    BOOST_TEST((at(60)->rotation.next.expires_at == noon + Span(90 * 86400)));
    BOOST_TEST((at(61)->rotation.next.expires_at == noon + Span(90 * 86400)));
    BOOST_TEST((at(61)->rotation.access.expires_at == noon + Span(62 * 86400)));
    BOOST_TEST(
        (at(89)->rotation.access.expires_at ==
         noon + Span(90 * 86400))); // an access token does not outlive its session
}

BOOST_AUTO_TEST_CASE(
    a_first_refresh_token_is_for_clients_that_registered_the_grant, *label("T26")) {
    const auto finalized_flow = sample_finalization();
    const Secret code(std::string(43, 'c'));
    BOOST_TEST(!first_refresh_token(
                    finalized_flow.code, code, finalized_flow.session, false, sample_keyring(),
                    sample_policy(), noon)
                    .has_value());
    const auto first = first_refresh_token(
        finalized_flow.code, code, finalized_flow.session, true, sample_keyring(), sample_policy(),
        noon);
    BOOST_REQUIRE(first.has_value());
    BOOST_TEST((first->token.hash == sha256(first->secret)));
    BOOST_TEST((first->token.expires_at == noon + Span(30 * 86400)));
    auto without = sample_policy();
    without.refresh_idle = Span(0);
    BOOST_TEST(!first_refresh_token(
                    finalized_flow.code, code, finalized_flow.session, true, sample_keyring(),
                    without, noon)
                    .has_value());
}

BOOST_AUTO_TEST_SUITE_END()
