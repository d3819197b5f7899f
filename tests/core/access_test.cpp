#include "tests/support/makers.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

SessionView alive(Identity identity = {IdentityKind::skipped, {}}) { return {sample_settlement(std::move(identity)).session, "Sample", true, std::nullopt}; }

std::string judged(const std::optional<SessionView>& view, const std::string& resource = "https://tools.example.org/mcp", Instant now = noon) {
    return fault_of(judge_access(view, resource, now));
}

} // namespace

BOOST_AUTO_TEST_SUITE(judging_access)

BOOST_AUTO_TEST_CASE(a_token_is_good_until_its_last_second, *label("C5") * label("RS5")) {
    BOOST_TEST(judged(alive()) == "ok");
    BOOST_TEST(judged(alive(), "https://tools.example.org/mcp", noon + Span(86399)) == "ok");
    BOOST_TEST(judged(alive(), "https://tools.example.org/mcp", noon + Span(86400)) == "invalid_bearer");
    BOOST_TEST(judged(std::nullopt) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(a_revoked_token_is_refused_at_once, *label("C5")) {
    auto view = alive();
    view.session.revoked_at = noon;
    BOOST_TEST(judged(view) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(a_token_for_one_resource_opens_no_other, *label("RS4") * label("RS8") * label("K8") * label("K25")) {
    for (const auto* other : {"https://tools.example.org/other", "https://tools.example.org/mcpx", "https://tools.example.org/mcp/a", "https://tools.example.org/",
                              "https://tools.example.org/mc", "https://tools.example.org/MCP", "https://auth.example.org", ""}) {
        BOOST_TEST_CONTEXT(other) BOOST_TEST(judged(alive(), other) == "invalid_bearer");
    }
}

BOOST_AUTO_TEST_CASE(a_disabled_client_ends_its_sessions, *label("C5")) {
    auto view = alive();
    view.client_active = false;
    BOOST_TEST(judged(view) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(a_disabled_deleted_or_expired_virtual_key_ends_its_sessions, *label("contract_4") * label("C5")) {
    auto view = alive({IdentityKind::virtual_key, "vk_sample"});
    view.virtual_key = sample_virtual_key();
    BOOST_TEST(judged(view) == "ok");
    view.virtual_key->expires_at = noon + Span(1);
    BOOST_TEST(judged(view) == "ok");
    view.virtual_key->expires_at = noon;
    BOOST_TEST(judged(view) == "invalid_bearer");
    view.virtual_key = sample_virtual_key();
    view.virtual_key->active = false;
    BOOST_TEST(judged(view) == "invalid_bearer");
    view.virtual_key.reset();
    BOOST_TEST(judged(view) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(other_identities_need_no_virtual_key, *label("contract_4")) {
    BOOST_TEST(judged(alive({IdentityKind::user_id, "anna"})) == "ok");
    BOOST_TEST(judged(alive({IdentityKind::verified_user, "anna"})) == "ok");
}

BOOST_AUTO_TEST_CASE(all_refusals_say_the_same, *label("C5")) {
    auto revoked = alive();
    revoked.session.revoked_at = noon;
    const auto unknown = judge_access(std::nullopt, "x", noon);
    BOOST_TEST(unknown.error().say == judge_access(revoked, "x", noon).error().say);
    BOOST_TEST(unknown.error().say == judge_access(alive(), "x", noon).error().say);
}

BOOST_AUTO_TEST_SUITE_END()
