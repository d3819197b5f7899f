// The gate's rules: which resource a path means, what a caller needs, and which facts the
// server behind receives.
#include "consentgate/core/oauth/gate.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

using Kind = core::GateFactKind;

core::ResourceMap map_of(const std::vector<std::string>& urls) {
    std::vector<core::GuardedResource> resources;
    for (const auto& url : urls) resources.push_back({url});
    return core::ResourceMap(resources);
}

// The resource's URL, or the name of the error.
std::string found(const core::ResourceMap& map, std::string_view path) {
    const auto resource = map.find(path);
    return resource ? (*resource)->url : std::string(core::traits(resource.error().code).name);
}

core::SessionView sample_view() {
    core::SessionView view;
    view.session.id = core::SessionId("session_sample");
    view.session.client_id = core::ClientId("cgc_sample");
    view.session.identity = {core::IdentityKind::user_id, "ada"};
    view.session.scope = scopes("mcp");
    view.client_active = true;
    return view;
}

std::string fact(
    const core::SessionView& view, Kind kind, const core::PersonFacts* person = nullptr) {
    for (const auto& one : core::gate_facts(view, person)) {
        if (one.kind == kind) return one.value;
    }
    return "(absent)";
}

} // namespace

BOOST_AUTO_TEST_SUITE(gate)

BOOST_AUTO_TEST_CASE(the_longest_resource_that_covers_whole_segments_counts, *label("RS8")) {
    const auto map = map_of({"https://h/mcp", "https://h/mcp/notion", "https://h/other/"});
    for (const auto* path :
         {"/mcp", "/mcp/", "/mcp/x", "/mcp/notionx", "/mcp/not/ion", "/%6dcp", "/mcp/a%20b"})
        BOOST_TEST_CONTEXT(path) BOOST_TEST(found(map, path) == "https://h/mcp");
    for (const auto* path : {"/mcp/notion", "/mcp/notion/", "/mcp/notion/x", "/mcp/%6eotion"})
        BOOST_TEST_CONTEXT(path) BOOST_TEST(found(map, path) == "https://h/mcp/notion");
    for (const auto* path : {"/other", "/other/", "/other/x"})
        BOOST_TEST_CONTEXT(path) BOOST_TEST(found(map, path) == "https://h/other/");
    for (const auto* path : {"/", "/mcpx", "/MCP", "/mc", "/otherx", "/x/mcp"})
        BOOST_TEST_CONTEXT(path) BOOST_TEST(found(map, path) == "not_found");
}

BOOST_AUTO_TEST_CASE(a_resource_at_the_root_covers_everything, *label("RS8")) {
    for (const auto* url : {"https://h", "https://h/"}) {
        const auto map = map_of({url});
        for (const auto* path : {"/", "/mcp", "/a/b"})
            BOOST_TEST_CONTEXT(path) BOOST_TEST(found(map, path) == url);
    }
}

BOOST_AUTO_TEST_CASE(
    a_path_that_two_programs_could_read_differently_is_refused, *label("RS8") * label("RS11")) {
    const auto map = map_of({"https://h/mcp", "https://h/mcp/notion"});
    for (const auto* path :
         {"",
          "mcp",
          "http://h/mcp",
          "//mcp",
          "/mcp//notion",
          "/./mcp",
          "/mcp/./notion",
          "/mcp/x/../notion",
          "/mcp/x/..",
          "/mcp/%2e%2e/x",
          "/mcp/.%2E/x",
          "/mcp%2Fnotion",
          "/mcp/x%2f..%2fnotion",
          "/mcp\\notion",
          "/mcp%5Cnotion",
          "/mcp;x/notion",
          "/mcp%3Bx",
          "/mcp/%252e%252e/notion",
          "/mcp%00",
          "/mcp/%0a",
          "/mcp/%",
          "/mcp/%zz",
          "/mcp/%ff",
          "/mcp%3Fx",
          "/mcp%23x"}) {
        BOOST_TEST_CONTEXT(path) BOOST_TEST(found(map, path) == "invalid_request");
    }
    // Their neighbours pass.
    for (const auto* path : {"/mcp/...", "/mcp/.x", "/mcp/x..y", "/mcp/a:b@c", "/mcp/%C3%A9"})
        BOOST_TEST_CONTEXT(path) BOOST_TEST(found(map, path) == "https://h/mcp");
}

BOOST_AUTO_TEST_CASE(two_resources_of_one_path_are_an_error_of_the_operator, *label("RS8")) {
    BOOST_CHECK_THROW(map_of({"https://a/mcp", "https://b/mcp"}), std::invalid_argument);
    BOOST_CHECK_THROW(
        map_of({"https://a/mcp", "https://a/x", "https://a/mcp/"}), std::invalid_argument);
    BOOST_CHECK_NO_THROW(map_of({"https://a/mcp", "https://b/mcpx"}));
}

BOOST_AUTO_TEST_CASE(
    a_resource_whose_path_reads_two_ways_is_refused_and_never_covers_more_than_it_says,
    *label("RS8") * label("RS11")) {
    for (const auto* url :
         {"https://h/mcp;x", "https://h/a/../b", "https://h//mcp", "https://h/mcp//",
          "https://h/mcp%2Fx", "https://h/./mcp"}) {
        BOOST_TEST_CONTEXT(url) BOOST_CHECK_THROW(map_of({url}), std::invalid_argument);
    }
    for (const auto* url :
         {"https://h", "https://h/", "https://h?x", "https://h/mcp/", "https://h/a%20b"})
        BOOST_TEST_CONTEXT(url) BOOST_CHECK_NO_THROW(map_of({url}));
}

BOOST_AUTO_TEST_CASE(a_scope_that_holds_the_needed_one_is_enough, *label("C6") * label("C7")) {
    auto policy = sample_policy();
    policy.implications = {
        {"admin", scopes("write")}, {"write", scopes("mcp profile")}, {"loop", scopes("loop")}};
    core::Session session;
    const auto valid = [&](std::string_view granted, std::string_view needed) {
        session.scope = scopes(granted);
        return static_cast<bool>(core::check_scope(session, scopes(needed), policy));
    };
    BOOST_TEST(valid("mcp", "mcp"));
    BOOST_TEST(valid("admin", "mcp profile"));
    BOOST_TEST(valid("write mcp", "profile"));
    BOOST_TEST(!valid("mcp", "write"));
    BOOST_TEST(!valid("profile mcp", "mcp admin"));
    BOOST_TEST(!valid("loop", "mcp"));
}

BOOST_AUTO_TEST_CASE(
    the_server_behind_learns_who_calls_and_nothing_it_could_misread,
    *label("RS11") * label("C12")) {
    auto view = sample_view();
    BOOST_TEST(
        fact(view, Kind::subject) == "session:session_sample"); // a typed name proves nothing
    BOOST_TEST(fact(view, Kind::user) == "ada");
    BOOST_TEST(fact(view, Kind::identity) == "user_id");
    BOOST_TEST(fact(view, Kind::client) == "cgc_sample");
    BOOST_TEST(fact(view, Kind::scope) == "mcp");
    BOOST_TEST(fact(view, Kind::session) == "session_sample");
    view.session.identity.value = "Zoë \"x\"%\r\n";
    BOOST_TEST(fact(view, Kind::user) == "Zo%C3%AB%20%22x%22%25%0D%0A");
    view.session.identity = {core::IdentityKind::skipped, ""};
    BOOST_TEST(fact(view, Kind::user) == "(absent)");
    view.session.identity = {core::IdentityKind::virtual_key, "vk_sample"};
    view.virtual_key = sample_virtual_key();
    BOOST_TEST(fact(view, Kind::subject) == view.session.identity.owner(view.session.id).text());
    BOOST_TEST(fact(view, Kind::user) == "Anna,%20laptop");
}

BOOST_AUTO_TEST_CASE(
    the_server_behind_learns_who_a_person_is_and_which_groups_count,
    *label("SI73") * label("SI74")) {
    const auto view = sample_view();
    for (const auto kind : {Kind::email, Kind::groups, Kind::groups_omitted, Kind::provider})
        BOOST_TEST(fact(view, kind) == "(absent)");
    core::PersonFacts person{.name = "Anna", .idp = core::IdpId("corp")};
    BOOST_TEST(fact(view, Kind::provider, &person) == "corp");
    BOOST_TEST(fact(view, Kind::email, &person) == "(absent)");
    BOOST_TEST(fact(view, Kind::groups, &person) == "(absent)");
    BOOST_TEST(fact(view, Kind::groups_omitted, &person) == "1"); // unknown is not none
    person.groups.emplace();
    BOOST_TEST(fact(view, Kind::groups, &person) == "(absent)");
    BOOST_TEST(fact(view, Kind::groups_omitted, &person) == "(absent)");
    person.groups = {"a,admin", "eng", "\u00e4 b%"};
    person.email = "\u00e4nna@example.org";
    BOOST_TEST(fact(view, Kind::groups, &person) == "a%2Cadmin,eng,%C3%A4%20b%25");
    BOOST_TEST(fact(view, Kind::email, &person) == "%C3%A4nna@example.org");
}

BOOST_AUTO_TEST_CASE(groups_never_make_the_facts_longer_than_they_may_be, *label("SI74")) {
    auto view = sample_view();
    core::PersonFacts person{.name = "Anna", .idp = core::IdpId("corp")};
    person.groups.emplace(1, std::string(core::max_group_list_bytes, 'g'));
    for (const auto length : {10, 500, 1000, 1150, 1200, 2000}) {
        view.session.identity.value.assign(static_cast<std::size_t>(length), 'n');
        std::size_t bytes = 0;
        for (const auto& one : core::gate_facts(view, &person))
            bytes += one.value.size() + std::string("Consentgate-Groups-Omitted: \r\n").size();
        BOOST_TEST_CONTEXT(length) BOOST_TEST(bytes <= core::max_facts_bytes);
        const bool omitted = fact(view, Kind::groups_omitted, &person) == "1";
        BOOST_TEST((fact(view, Kind::groups, &person) == "(absent)") == omitted);
        BOOST_TEST(omitted == (length >= 1200));
    }
}

BOOST_AUTO_TEST_SUITE_END()
