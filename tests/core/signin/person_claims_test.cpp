#include "consentgate/core/signin/person_claims.h"

#include "tests/support/provider_signing.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

ProvedClaims proved(const JsonObject& more = {}) {
    ProvedClaims all;
    all.issuer = "https://sso.example.org/realms/staff";
    all.subject = "anna-1";
    all.claims = sample_id_claims();
    for (const auto& member : more.members()) all.claims.set(member.name, member.value);
    return all;
}

JsonObject one(const std::string& name, Json value) {
    return JsonObject().set(name, std::move(value));
}

PersonClaims person(
    const JsonObject& claims, const IdentityProvider& provider = sample_signing_provider()) {
    return person_claims(proved(claims), std::nullopt, provider);
}
PersonClaims person(const JsonObject& claims, const JsonObject& userinfo) {
    return person_claims(proved(claims), userinfo, sample_signing_provider());
}

std::string groups_in(Json value, const IdentityProvider& provider = sample_signing_provider()) {
    const auto read = person(one("groups", std::move(value)), provider);
    return read.groups_known ? join(read.groups, "|") : "unknown";
}

JsonArray numbered(std::size_t count, std::size_t bytes = 8) {
    JsonArray all;
    for (std::size_t i = 0; i < count; ++i) {
        auto name = std::to_string(i);
        all.push_back(name.append(bytes - name.size(), 'g'));
    }
    return all;
}

JsonObject address(const std::string& email, Json verified = true) {
    return JsonObject().set("email", email).set("email_verified", std::move(verified));
}
std::string email_of(
    const JsonObject& claims, const IdentityProvider& provider = sample_signing_provider()) {
    return person(claims, provider).email;
}

IdentityProvider of_kind(ProviderKind kind, EmailTrust trust = EmailTrust::verified) {
    auto provider = sample_signing_provider();
    provider.kind = kind;
    provider.email_trust = trust;
    return provider;
}

ServiceReply answer(const std::string& body, int status = 200) {
    return {.answered = true, .status = status, .content_type = {}, .body = Secret(body)};
}

} // namespace

BOOST_AUTO_TEST_SUITE(claims_of_a_person)

BOOST_AUTO_TEST_CASE(groups_come_in_several_shapes, *label("SI53")) {
    BOOST_TEST(groups_in(JsonArray{"vpn", "eng", "eng"}) == "eng|vpn");
    BOOST_TEST(groups_in("eng") == "eng");
    BOOST_TEST(groups_in("a,admin") == "a,admin"); // one group, never split
    BOOST_TEST(groups_in("a admin") == "a admin");
    BOOST_TEST(groups_in(JsonArray{one("name", "eng"), one("name", "ops")}) == "eng|ops");
    BOOST_TEST(
        groups_in(JsonObject().set("admin", JsonObject()).set("viewer", true)) == "admin|viewer");
    BOOST_TEST(groups_in(JsonArray{"Eng", "eng", "/eng"}) == "/eng|Eng|eng"); // byte for byte
    BOOST_TEST(groups_in(JsonArray{"\u00fcber"}) == "\u00fcber");
    BOOST_TEST(groups_in(JsonArray()) == "");
    BOOST_TEST(groups_in(nullptr) == "");
    BOOST_TEST(groups_in(true) == "unknown");
    BOOST_TEST(groups_in(5) == "unknown");
}

BOOST_AUTO_TEST_CASE(entries_that_are_no_names_are_dropped_and_counted, *label("SI53")) {
    const auto read = person(
        one("groups", JsonArray{
                          "eng", "", 1, nullptr, "a\nb", one("id", "x"), JsonArray{"ops"},
                          std::string(255, 'l'), std::string(256, 'l')}));
    BOOST_TEST(join(read.groups, "|") == "eng|" + std::string(255, 'l'));
    BOOST_TEST(read.groups_known);
    BOOST_TEST(read.groups_dropped == 7U);
}

BOOST_AUTO_TEST_CASE(
    too_many_groups_are_unknown_and_not_a_part_of_them,
    *label("SI53") * label("SI55") * label("SA23")) {
    const auto known = [](const JsonArray& groups) {
        return person(one("groups", groups)).groups.size();
    };
    BOOST_TEST(known(numbered(200)) == 200U);
    BOOST_TEST(known(numbered(2000)) == 2000U);
    BOOST_TEST(groups_in(numbered(2001)) == "unknown");
    BOOST_TEST(groups_in(numbered(5000)) == "unknown");
    BOOST_TEST(known(numbered(512, 128)) == 512U); // 64 KiB
    BOOST_TEST(groups_in(numbered(513, 128)) == "unknown");
}

BOOST_AUTO_TEST_CASE(unknown_groups_are_not_no_groups, *label("SI55")) {
    const auto absent = person({});
    BOOST_TEST(absent.groups_known);
    BOOST_TEST(!absent.groups_sent);
    BOOST_TEST(person(one("groups", JsonArray())).groups_sent);
    // Microsoft names a place where to ask in their stead.
    const auto elsewhere = one("_claim_names", one("groups", "src1"));
    BOOST_TEST(!person(elsewhere).groups_known);
    BOOST_TEST(!person(JsonObject(elsewhere).set("groups", JsonArray{"eng"})).groups_known);
    BOOST_TEST(!person({}, elsewhere).groups_known);
    BOOST_TEST(!person(elsewhere, one("groups", JsonArray{"eng"})).groups_known);
    BOOST_TEST(person(one("_claim_names", one("address", "src1"))).groups_known);
    BOOST_TEST(!person(one("hasgroups", true)).groups_known);
    BOOST_TEST(!person(one("hasgroups", "true")).groups_known);
    BOOST_TEST(person(one("hasgroups", false)).groups_known);
    auto roles = sample_signing_provider();
    roles.groups_claim = "roles";
    const auto both = JsonObject(elsewhere).set("roles", JsonArray{"admin"});
    BOOST_TEST(join(person(both, roles).groups, "|") == "admin");
    // Okta cuts at a hundred without a word.
    const auto okta = of_kind(ProviderKind::okta);
    BOOST_TEST(groups_in(numbered(99), okta) != "unknown");
    BOOST_TEST(groups_in(numbered(100), okta) == "unknown");
    BOOST_TEST(groups_in(numbered(101), okta) != "unknown");
    BOOST_TEST(groups_in(numbered(100)) != "unknown");
}

BOOST_AUTO_TEST_CASE(the_groups_claim_is_a_name_or_a_pointer, *label("SI7") * label("SI53")) {
    const auto claims = JsonObject()
                            .set("https://example.org/groups", JsonArray{"a"})
                            .set("realm_access", one("roles", JsonArray{"b"}))
                            .set("x/y", one("~", JsonArray{"c"}))
                            .set("list", JsonArray{JsonArray{"d"}, JsonArray{"e"}});
    const auto at = [&](const std::string& claim) {
        auto provider = sample_signing_provider();
        provider.groups_claim = claim;
        return join(person(claims, provider).groups, "|");
    };
    BOOST_TEST(at("https://example.org/groups") == "a");
    BOOST_TEST(at("/realm_access/roles") == "b");
    BOOST_TEST(at("/x~1y/~0") == "c");
    BOOST_TEST(at("/list/1") == "e");
    for (const auto* nowhere :
         {"realm_access/roles", "/realm_access/none", "/realm_access/roles/0/x", "/list/2",
          "/list/-1", "/list/1x", "/", "//", "groups", ""})
        BOOST_TEST_CONTEXT(nowhere) BOOST_TEST(at(nowhere) == "");
}

BOOST_AUTO_TEST_CASE(
    an_address_counts_when_the_provider_has_verified_it, *label("SI54") * label("SA13")) {
    const std::string anna = "anna@example.org";
    BOOST_TEST(email_of(address(anna)) == anna);
    BOOST_TEST(email_of(address(anna, "true")) == anna); // Cognito's
    BOOST_TEST(email_of(address("ANNA@Example.ORG")) == "ANNA@Example.ORG");
    BOOST_TEST(email_of(address("boss@example.org", false)) == "");
    BOOST_TEST(email_of(address(anna, "false")) == "");
    BOOST_TEST(email_of(address(anna, "yes")) == "");
    BOOST_TEST(email_of(address(anna, 1)) == "");
    BOOST_TEST(email_of(address(anna, nullptr)) == "");
    BOOST_TEST(email_of(one("email", anna)) == "");
    BOOST_TEST(email_of(one("email_verified", true)) == "");
    const auto always = of_kind(ProviderKind::generic, EmailTrust::always);
    BOOST_TEST(email_of(one("email", anna), always) == anna);
    BOOST_TEST(email_of(address(anna, false), always) == anna);
    const auto never = of_kind(ProviderKind::generic, EmailTrust::never);
    BOOST_TEST(email_of(address(anna), never) == "");
}

BOOST_AUTO_TEST_CASE(an_address_that_programs_read_differently_never_counts, *label("SI54")) {
    const auto always = of_kind(ProviderKind::generic, EmailTrust::always);
    for (const auto* odd :
         {"a@evil.test@example.org", "\"a@evil.test\"@example.org", "a b@example.org",
          "a@example.org ", "a\n@example.org", "@example.org", "a@", "a", "", "<a@example.org>",
          "a@evil.test,b@example.org", "\u00e4@example.org", "a@ex\u00e4mple.org",
          "a(x)@example.org", "a@[127.0.0.1]", "a\\@example.org"})
        BOOST_TEST_CONTEXT(odd) BOOST_TEST(email_of(address(odd), always) == "");
    BOOST_TEST(email_of(address("o'brien+x@example.org"), always) == "o'brien+x@example.org");
    const std::string domain = "@example.org";
    BOOST_TEST(email_of(address(std::string(242, 'a') + domain), always).size() == 254U);
    BOOST_TEST(email_of(address(std::string(243, 'a') + domain), always) == "");
    BOOST_TEST(email_of(one("email", JsonArray{"a@example.org"}), always) == "");
}

BOOST_AUTO_TEST_CASE(
    google_and_microsoft_have_their_own_word_for_it, *label("SI54") * label("SA13")) {
    const auto google = of_kind(ProviderKind::google);
    BOOST_TEST(
        email_of(address("a@example.org").set("hd", "example.org"), google) == "a@example.org");
    BOOST_TEST(email_of(address("a@GMail.com"), google) == "a@GMail.com");
    BOOST_TEST(email_of(address("boss@example.org"), google) == ""); // a private account
    BOOST_TEST(email_of(address("a@notgmail.com"), google) == "");
    BOOST_TEST(email_of(address("a@example.org").set("hd", ""), google) == "");
    BOOST_TEST(email_of(address("a@example.org", false).set("hd", "example.org"), google) == "");
    // The company is the ID token's to name.
    const auto from_userinfo =
        person_claims(proved(address("boss@example.org")), one("hd", "example.org"), google);
    BOOST_TEST(from_userinfo.email == "");

    auto one_tenant = of_kind(ProviderKind::entra);
    const auto edov = [](Json value) {
        return one("email", "a@example.org").set("xms_edov", std::move(value));
    };
    BOOST_TEST(email_of(edov(true), one_tenant) == "a@example.org");
    BOOST_TEST(email_of(edov("true"), one_tenant) == "a@example.org");
    BOOST_TEST(email_of(edov(false), one_tenant) == "");
    BOOST_TEST(email_of(address("boss@example.org"), one_tenant) == ""); // written by anybody there
    one_tenant.email_trust = EmailTrust::always;
    BOOST_TEST(email_of(one("email", "a@example.org"), one_tenant) == "a@example.org");
    auto many = one_tenant;
    many.issuer = "https://login.microsoftonline.com/{tenantid}/v2.0";
    BOOST_TEST(email_of(one("email", "a@example.org"), many) == "");
    BOOST_TEST(email_of(edov(true), many) == "a@example.org");
    many.email_trust = EmailTrust::never;
    BOOST_TEST(email_of(edov(true), many) == "");
}

BOOST_AUTO_TEST_CASE(userinfo_adds_claims_and_replaces_none, *label("SI45")) {
    const auto more = JsonObject()
                          .set("sub", "anna-1")
                          .set("name", "Anna")
                          .set("groups", JsonArray{"eng"})
                          .set("email", "anna@example.org")
                          .set("email_verified", true);
    const auto added = person({}, more);
    BOOST_TEST(added.name == "Anna");
    BOOST_TEST(added.email == "anna@example.org");
    BOOST_TEST(join(added.groups, "|") == "eng");
    BOOST_TEST(added.groups_sent);
    const auto said = JsonObject().set("name", "Ben").set("groups", JsonArray{"ops"});
    const auto kept = person(said, more);
    BOOST_TEST(kept.name == "Ben");
    BOOST_TEST(join(kept.groups, "|") == "ops");
    BOOST_TEST(join(person(one("groups", nullptr), more).groups, "|") == "eng");
}

BOOST_AUTO_TEST_CASE(
    an_address_is_verified_by_the_source_that_names_it, *label("SI45") * label("SI54")) {
    const auto mail = [](const JsonObject& id_token, const JsonObject& userinfo) {
        return person(id_token, userinfo).email;
    };
    const auto boss = one("email", "boss@example.org");
    const auto yes = one("email_verified", true);
    BOOST_TEST(mail(boss, address("boss@example.org")) == "boss@example.org");
    BOOST_TEST(mail({}, address("boss@example.org")) == "boss@example.org");
    BOOST_TEST(mail(address("boss@example.org"), boss) == "boss@example.org");
    BOOST_TEST(mail(boss, address("evil@example.net")) == "");
    BOOST_TEST(mail(boss, yes) == "");
    BOOST_TEST(mail(yes, boss) == "");
    BOOST_TEST(mail(address("boss@example.org", false), address("boss@example.org")) == "");
    BOOST_TEST(mail(address("evil@example.net"), boss) == "evil@example.net");
}

BOOST_AUTO_TEST_CASE(userinfo_is_asked_for_what_the_id_token_lacks, *label("SI45")) {
    auto provider = sample_signing_provider();
    const auto needs = [&](const JsonObject& claims) {
        return needs_userinfo(proved(claims), provider);
    };
    const auto all =
        JsonObject().set("name", "A").set("email", "a@b.example").set("groups", JsonArray());
    BOOST_TEST(!needs({})); // nobody to ask
    provider.userinfo_endpoint = "https://sso.example.org/userinfo";
    BOOST_TEST(needs({}));
    BOOST_TEST(!needs(all));
    for (const auto* name : {"name", "email", "groups"})
        BOOST_TEST_CONTEXT(name) BOOST_TEST(needs(JsonObject(all).set(name, nullptr)));
    provider.groups_claim.clear();
    BOOST_TEST(!needs(JsonObject(all).set("groups", nullptr)));
    provider.userinfo = UserinfoUse::always;
    BOOST_TEST(needs(all));
    provider.userinfo = UserinfoUse::never;
    BOOST_TEST(!needs({}));
    provider.userinfo = UserinfoUse::always;
    provider.userinfo_endpoint.clear();
    BOOST_TEST(!needs({}));
}

BOOST_AUTO_TEST_CASE(userinfo_about_somebody_else_is_refused, *label("SI45") * label("SA14")) {
    const auto provider = sample_signing_provider();
    const auto keys = keys_of({provider_ec().jwk("ec")});
    const auto read = [&](const ServiceReply& reply) {
        const auto claims = read_userinfo(reply, proved(), provider, keys);
        return claims ? claims->text("name").value_or("") : claims.error().param;
    };
    BOOST_TEST(read(answer(R"({"sub":"anna-1","name":"Anna"})")) == "Anna");
    BOOST_TEST(read(answer("\xef\xbb\xbf {\"sub\":\"anna-1\",\"name\":\"Anna\"}\n")) == "Anna");
    BOOST_TEST(read(answer(R"({"sub":"ben","groups":["admin"]})")) == "sub");
    BOOST_TEST(read(answer(R"({"sub":"Anna-1"})")) == "sub");
    BOOST_TEST(read(answer(R"({"groups":["admin"]})")) == "sub");
    BOOST_TEST(read(answer(R"({"sub":["anna-1"]})")) == "sub");
    BOOST_TEST(read(answer("<html>")) == "token");
    BOOST_TEST(read(answer("")) == "token");
    BOOST_TEST(read(answer(R"({"sub":"anna-1"})", 403)) == "error");
    const auto code = [&](const ServiceReply& reply) {
        return code_of(read_userinfo(reply, proved(), provider, keys));
    };
    BOOST_TEST(code(answer(R"({"sub":"ben"})")) == "access_denied");
    BOOST_TEST(code(answer("", 503)) == "service_unavailable");
    BOOST_TEST(code({.answered = false}) == "service_unavailable");
}

BOOST_AUTO_TEST_CASE(userinfo_that_is_signed_is_verified, *label("SI45")) {
    const auto provider = sample_signing_provider();
    const auto keys = keys_of({provider_ec().jwk("ec")});
    const auto read = [&](const JsonObject& claims, const SigningKey& key) {
        const auto found = read_userinfo(
            answer(key.sign(token_header("ES256", "ec"), claims)), proved(), provider, keys);
        return found ? found->text("name").value_or("") : found.error().param;
    };
    const auto claims = JsonObject()
                            .set("iss", provider.issuer)
                            .set("aud", "consentgate")
                            .set("sub", "anna-1")
                            .set("name", "Anna");
    BOOST_TEST(read(claims, provider_ec()) == "Anna");
    BOOST_TEST(read(claims, SigningKey::ec("P-256")) == "signature");
    BOOST_TEST(read(JsonObject(claims).set("iss", "https://b.example"), provider_ec()) == "iss");
    BOOST_TEST(read(JsonObject(claims).set("aud", "other"), provider_ec()) == "aud");
    BOOST_TEST(read(JsonObject(claims).set("sub", "ben"), provider_ec()) == "sub");
    const auto bare = SigningKey::unsigned_token(token_header("none"), claims) + ".";
    BOOST_TEST(!read_userinfo(answer(bare), proved(), provider, keys));
}

BOOST_AUTO_TEST_CASE(a_person_has_a_name_that_can_be_shown, *label("SI49")) {
    const auto name = [](const JsonObject& claims) { return person(claims).name; };
    const auto all = JsonObject()
                         .set("name", "Anna")
                         .set("preferred_username", "anna")
                         .set("email", "anna@example.org");
    BOOST_TEST(name(all) == "Anna");
    BOOST_TEST(name(JsonObject(all).set("name", " \u200b")) == "anna");
    BOOST_TEST(
        name(JsonObject(all).set("name", nullptr).set("preferred_username", 5)) ==
        "anna@example.org");
    BOOST_TEST(name({}) == "anna-1");
    BOOST_TEST(name(one("name", "An\u202ena\n")) == "Anna");
    BOOST_TEST(count_characters(name(one("name", std::string(500, 'x')))) <= 121U);
}

BOOST_AUTO_TEST_CASE(only_the_claims_that_the_operator_names_are_kept, *label("SI49")) {
    auto provider = sample_signing_provider();
    provider.kept_claims = {"dept", "hd", "tags", "/org/unit", "number", "big", "last"};
    const auto claims = JsonObject()
                            .set("dept", "it")
                            .set("tags", JsonArray{"a", 1, "b\n", "b"})
                            .set("org", one("unit", "x"))
                            .set("number", 5)
                            .set("big", std::string(4090, 'x'))
                            .set("last", "z")
                            .set("secret", "no");
    const auto read = person_claims(proved(claims), one("hd", "example.org"), provider);
    std::string kept;
    for (const auto& [name, values] : read.claims) kept += name + "=" + join(values, ",") + ";";
    BOOST_TEST(kept == "dept=it;tags=a,b;/org/unit=x;last=z;"); // hd is the ID token's to name
    provider.kept_claims = {"big"};
    BOOST_TEST(person(claims, provider).claims.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
