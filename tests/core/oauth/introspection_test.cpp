#include "consentgate/core/oauth/introspection.h"

#include "tests/support/requests.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr const char* resource = "https://tools.example.org/mcp";

SessionView sample_view() { return {sample_finalization().session, "Sample", true, std::nullopt}; }

std::optional<JsonObject> described(
    const std::optional<SessionView>& view, const std::string& asking = resource,
    Instant now = noon) {
    return json_of(introspection_response(
        view ? &*view : nullptr, sha256("token"), asking, sample_policy(), now));
}

} // namespace

BOOST_AUTO_TEST_SUITE(introspection)

BOOST_AUTO_TEST_CASE(an_active_token_is_described_in_the_rfcs_words, *label("V9") * label("T19")) {
    const auto document = described(sample_view());
    BOOST_TEST(document->flag("active").value());
    BOOST_TEST(member_of(*document, "scope") == "mcp");
    BOOST_TEST(member_of(*document, "client_id") == "cgc_sample");
    BOOST_TEST(member_of(*document, "token_type") == "Bearer");
    BOOST_TEST(member_of(*document, "aud") == resource);
    BOOST_TEST(member_of(*document, "iss") == "https://auth.example.org");
    BOOST_TEST(document->integer("iat").value() == epoch(noon));
    BOOST_TEST(document->integer("exp").value() == epoch(noon) + 86400);
    BOOST_TEST(member_of(*document, "jti").size() == 32U);
    BOOST_TEST(
        member_of(*document, "jti") !=
        sha256("token").hex.substr(0, 32)); // tells nothing of what is stored
}

BOOST_AUTO_TEST_CASE(
    a_person_of_a_provider_has_no_name_of_issuer_and_subject, *label("SI48") * label("SI73")) {
    auto view = sample_view();
    view.session.identity = {IdentityKind::verified_user, "https://sso.example.org\n1234"};
    BOOST_TEST(user_name(view) == subject_of(view.session)); // they are forgotten
    BOOST_TEST(user_name(view).starts_with("user:"));
    view.standing.person.emplace().name = "Anna";
    BOOST_TEST(user_name(view) == "Anna");
    view.session.identity = {IdentityKind::verified_user, "anna"};
    BOOST_TEST(user_name(view) == "anna");
}

BOOST_AUTO_TEST_CASE(introspection_says_who_a_person_is, *label("SI80")) {
    auto view = sample_view();
    PersonFacts person{.name = "Anna", .idp = IdpId("corp")};
    const auto said = [&](const PersonFacts* of) {
        return *json_of(
            introspection_response(&view, sha256("token"), resource, sample_policy(), noon, of));
    };
    for (const auto* name : {"name", "idp", "email", "groups", "groups_omitted", "auth_time"})
        BOOST_TEST_CONTEXT(name) BOOST_TEST(!said(nullptr).contains(name));
    BOOST_TEST(said(&person).flag("groups_omitted").value());
    BOOST_TEST(!said(&person).contains("groups"));
    person.email = "anna@example.org";
    person.groups = {"a,\"b\"", "eng"};
    view.auth_time = noon - Span(5);
    BOOST_TEST(member_of(said(&person), "name") == "Anna");
    BOOST_TEST(member_of(said(&person), "idp") == "corp");
    BOOST_TEST(member_of(said(&person), "email") == "anna@example.org");
    BOOST_TEST(said(&person).flag("email_verified").value());
    BOOST_TEST((said(&person).texts("groups") == person.groups));
    BOOST_TEST(said(&person).integer("auth_time").value() == epoch(noon) - 5);
    view.session.revoked_at = noon;
    BOOST_TEST(members_of(said(&person)) == "active");
}

BOOST_AUTO_TEST_CASE(
    a_token_that_is_not_good_for_the_asking_server_is_inactive_and_no_more,
    *label("V8") * label("V10") * label("K38")) {
    auto revoked = sample_view();
    revoked.session.revoked_at = noon;
    auto disabled = sample_view();
    disabled.client_active = false;
    for (const auto& document :
         {described(std::nullopt), described(revoked), described(disabled),
          described(sample_view(), "https://tools.example.org/other"),
          described(sample_view(), std::string(resource) + "/"),
          described(sample_view(), resource, noon + Span(86400))}) {
        BOOST_TEST(members_of(*document) == "active");
        BOOST_TEST(!document->flag("active").value());
    }
}

BOOST_AUTO_TEST_CASE(
    a_subject_is_who_was_proven_and_a_typed_name_is_not, *label("K15") * label("V9")) {
    auto session = sample_finalization().session;
    session.identity = {IdentityKind::virtual_key, "vk_1"};
    BOOST_TEST(subject_of(session) == "key:vk_1");
    session.identity = {IdentityKind::user_id, "key:vk_1"};
    BOOST_TEST(subject_of(session) == "session:" + session.id.text);
    auto view = sample_view();
    view.session.identity = {IdentityKind::user_id, "anna"};
    BOOST_TEST(member_of(*described(view), "username") == "anna");
    BOOST_TEST(member_of(*described(view), "identity_kind") == "user_id");
}

BOOST_AUTO_TEST_CASE(only_a_resource_server_with_its_own_secret_is_answered, *label("V7")) {
    const ResourceServer server{ResourceServerId("cgrs_a"), resource, sha256("s"), true, noon};
    const auto valid = [&](const std::string& form, const std::optional<ResourceServer>& stored) {
        const auto credentials = read_client_credentials(web::read_credentials(form_of(form), {}));
        return credentials
                   ? code_of(check_resource_server(*credentials, stored ? &*stored : nullptr))
                   : code_of(credentials);
    };
    BOOST_TEST(valid("client_id=cgrs_a&client_secret=s", server) == "ok");
    BOOST_TEST(valid("client_id=cgrs_a&client_secret=x", server) == "invalid_client");
    BOOST_TEST(valid("client_id=cgrs_a", server) == "invalid_client");
    BOOST_TEST(valid("token=x", server) == "invalid_client");
    BOOST_TEST(valid("client_id=cgrs_a&client_secret=s", std::nullopt) == "invalid_client");
    auto disabled = server;
    disabled.active = false;
    BOOST_TEST(valid("client_id=cgrs_a&client_secret=s", disabled) == "invalid_client");
}

BOOST_AUTO_TEST_SUITE_END()
