#include "consentgate/web/page.h"

#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const std::string hostile = "<script>alert('x')</script>\"&{{brand_name}}{{{x}}}";

// A copy of the real pages, of which a case spoils something.
struct Copy {
    TempFolder folder;
    Copy() { std::filesystem::copy("conf/pages", folder.file("")); }

    void add(const std::string& name, const std::string& text) const {
        folder.write(name, folder.read(name) + text);
    }
    web::Pages load(const std::string& accent = "") const {
        return web::Pages(folder.file(""), {"consentgate", accent});
    }
    // "ok", or the error of loading.
    std::string loading() const {
        try {
            load();
            return "ok";
        } catch (const std::runtime_error& error) {
            return error.what();
        }
    }
};

// Every {{variable}} and {{#section}} name of the page files; but the logo, which no page is given:
// its address is of our making.
std::vector<std::string> variables() {
    std::vector<std::string> names;
    for (const auto* file :
         {"frame.html", "identity.html", "services.html", "remembered.html", "done.html",
          "error.html", "messages.en.properties"}) {
        std::ifstream in(std::string("conf/pages/") + file);
        const std::string text((std::istreambuf_iterator<char>(in)), {});
        for (auto at = text.find("{{"); at != std::string::npos; at = text.find("{{", at + 2)) {
            auto name = text.substr(at + 2, text.find("}}", at) - at - 2);
            if (name.starts_with('#') || name.starts_with('^')) name.erase(0, 1);
            if (!name.empty() && name != "logo_url" &&
                name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos)
                names.push_back(name);
        }
    }
    return names;
}

web::View filled_with(const std::string& text) {
    web::View inner, view;
    for (const auto& name : variables()) inner.set(name, text);
    for (const auto& name : variables()) view.set(name, text);
    for (const auto* list : {"scopes", "services", "accounts"}) view.list(list, {inner});
    return view.texts("details", {text});
}

// Refused at load, or harmless: a hostile value comes out escaped.
bool safe(const Copy& copy) {
    return copy.loading() != "ok" ||
           !holds(copy.load().render("identity", "en", filled_with(hostile)), "<script");
}

} // namespace

BOOST_AUTO_TEST_SUITE(page)

BOOST_AUTO_TEST_CASE(
    hostile_text_is_escaped_in_every_variable_of_every_page, *label("U6") * label("K29")) {
    const web::Pages pages("conf/pages", {"<b>\"brand\"", ""});
    BOOST_REQUIRE(variables().size() > 30U);
    for (const auto* name : {"identity", "services", "remembered", "done", "key", "error"}) {
        const auto html = pages.render(name, "en", filled_with(hostile));
        BOOST_TEST_CONTEXT(name) {
            BOOST_TEST(holds(
                html, "&lt;script&gt;alert(&apos;x&apos;)&lt;/script&gt;&quot;&amp;"
                      "{{brand_name}}{{{x}}}"));
            BOOST_TEST(!holds(html, "<script"));
            BOOST_TEST(!holds(html, "alert('x')"));
            BOOST_TEST(!holds(html, "</script>\""));
            BOOST_TEST(!holds(html, "<b>\"brand"));
        }
    }
}

BOOST_AUTO_TEST_CASE(no_variable_can_leave_its_attribute, *label("K29")) {
    const web::Pages pages("conf/pages", {"brand", ""});
    for (const auto* name : {"identity", "services", "remembered", "done", "key", "error"}) {
        const auto html = pages.render(name, "en", filled_with("\" onfocus=\"alert(1)"));
        BOOST_TEST_CONTEXT(name) BOOST_TEST(!holds(html, "\" onfocus"));
    }
}

BOOST_AUTO_TEST_CASE(
    pages_carry_no_script_no_style_and_nothing_from_elsewhere,
    *label("U2") * label("K2") * label("R35")) {
    const web::Pages pages("conf/pages", {"brand", "#1a5fb4"});
    for (const auto* name : {"identity", "services", "remembered", "done", "key", "error"}) {
        const auto html = pages.render(name, "en", filled_with("text"));
        for (const auto* part :
             {"<script", "<style",
              "style=", "onclick=", "onload=", "onsubmit=", "onerror=", "javascript:", "http://",
              "https://", "<iframe", "<img", "<object", "<base", "src="}) {
            BOOST_TEST_CONTEXT(name << " " << part) BOOST_TEST(!holds(html, part));
        }
    }
}

BOOST_AUTO_TEST_CASE(no_tag_is_left_unfilled_on_any_page) {
    const web::Pages pages("conf/pages", {"brand", ""});
    for (const auto* name : {"identity", "services", "remembered", "done", "key", "error"}) {
        BOOST_TEST_CONTEXT(name) {
            BOOST_TEST(!holds(pages.render(name, "en", filled_with("text")), "{{"));
            BOOST_TEST(!holds(pages.render(name, "en", web::View()), "{{"));
        }
    }
}

BOOST_AUTO_TEST_CASE(
    an_unescaped_tag_is_refused_at_load_wherever_it_hides, *label("U6") * label("K29")) {
    for (const auto* tag :
         {"{{{client_name}}}", "{{&client_name}}", "{{& client_name}}", "{{ &client_name}}",
          "{{ & client_name }}", "{{ {client_name} }}", "{{=<% %>=}}<%{client_name}%>",
          "{{= <% %> =}}<%& client_name %>"}) {
        for (const auto* file : {"frame.html", "identity.html"}) {
            const Copy copy;
            copy.add(file, tag);
            BOOST_TEST_CONTEXT(file << " " << tag) BOOST_TEST(safe(copy));
        }
    }
    for (const auto* file :
         {"frame.html", "identity.html", "services.html", "account.html", "error.html"}) {
        const Copy copy;
        copy.add(file, "{{{client_name}}}");
        BOOST_TEST_CONTEXT(file) BOOST_TEST(holds(copy.loading(), "unescaped"));
    }
    BOOST_TEST(Copy().loading() == "ok");
}

BOOST_AUTO_TEST_CASE(a_message_cannot_bring_in_an_unescaped_tag, *label("U6") * label("K29")) {
    for (const auto* tag :
         {"{{{client_name}}}", "{{ {client_name} }}", "{{&client_name}}",
          "{{=<% %>=}}<%{client_name}%>"}) {
        const Copy copy;
        copy.add("messages.en.properties", std::string("\nidentity.heading = ") + tag + "\n");
        BOOST_TEST_CONTEXT(tag) BOOST_TEST(safe(copy));
    }
}

BOOST_AUTO_TEST_CASE(a_message_is_text_not_markup, *label("K29")) {
    const Copy copy;
    copy.add("messages.en.properties", "\nidentity.heading = <b>{{client_name}}</b> & co\n");
    const auto html = copy.load().render("identity", "en", web::View().set("client_name", "<i>"));
    BOOST_TEST(holds(html, "&lt;b&gt;&lt;i&gt;&lt;/b&gt; &amp; co"));
}

BOOST_AUTO_TEST_CASE(a_missing_message_file_or_closing_tag_is_refused_at_load_and_named) {
    const Copy unnamed;
    unnamed.add("identity.html", "{{text.no.such.message}}");
    BOOST_TEST(holds(unnamed.loading(), "no.such.message"));
    const Copy open;
    open.add("services.html", "{{text.frame.deny");
    BOOST_TEST(open.loading() != "ok");
    const Copy section;
    section.add("error.html", "{{#details}}");
    BOOST_TEST(holds(section.loading(), "error.html"));
    for (const auto* file :
         {"frame.html", "identity.html", "services.html", "account.html", "error.html", "style.css",
          "messages.en.properties"}) {
        const Copy copy;
        std::filesystem::remove(copy.folder.file(file));
        BOOST_TEST_CONTEXT(file) BOOST_TEST(holds(copy.loading(), file));
    }
    BOOST_CHECK_THROW(web::Pages("no such folder", {"", ""}), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(every_language_is_complete_or_the_server_does_not_start) {
    const Copy copy;
    copy.folder.write("messages.de.properties", "frame.deny = Ablehnen\n");
    BOOST_TEST(copy.loading() != "ok");
}

BOOST_AUTO_TEST_CASE(the_language_is_the_first_accepted_one_that_is_there) {
    const Copy copy;
    auto german = copy.folder.read("messages.en.properties");
    copy.folder.write("messages.de.properties", german + "\nidentity.heading = Wer sind Sie?\n");
    copy.folder.write("messages.pt-BR.properties", german);
    const auto pages = copy.load();
    const std::vector<std::pair<std::optional<std::string>, std::string>> chosen{
        {std::nullopt, "en"},
        {"", "en"},
        {"de", "de"},
        {"DE-at, en;q=0.5", "de"},
        {"fr, de;q=0.8, en;q=0.5", "de"},
        {"fr", "en"},
        {"pt-BR", "pt-br"},
        {"pt", "en"},
        {"*", "en"},
        {"../../etc/passwd", "en"},
        {"de;q=0.9", "de"},
        {std::string(20000, ','), "en"},
        {"\xff", "en"}};
    for (const auto& [header, language] : chosen) {
        BOOST_TEST_CONTEXT(text_of(header)) BOOST_TEST(pages.language_for(header) == language);
    }
    BOOST_TEST(holds(pages.render("identity", "de", web::View()), "Wer sind Sie?"));
    BOOST_TEST(
        holds(pages.render("identity", "de", web::View()), "<html lang=\"de\" dir=\"ltr\">"));
    BOOST_TEST(text_of(pages.message("de", "identity.heading")) == "Wer sind Sie?");
    BOOST_TEST(!pages.message("en", "no.such.message"));
}

BOOST_AUTO_TEST_CASE(the_address_of_the_stylesheet_changes_with_it) {
    const Copy copy;
    const auto plain = copy.load();
    const auto accented = copy.load("#1a5fb4");
    BOOST_TEST(plain.style_url().starts_with("/oauth/style.css?v="));
    BOOST_TEST(plain.style_url() != accented.style_url());
    BOOST_TEST(holds(accented.stylesheet(), ":root{--accent:#1a5fb4}"));
    BOOST_TEST(plain.style_url() == copy.load().style_url());
    BOOST_TEST(holds(plain.render("error", "en", web::View()), "href=\"/oauth/style.css?v="));
}

BOOST_AUTO_TEST_CASE(
    a_logo_stands_where_our_mark_would_and_its_address_changes_with_it, *label("R35")) {
    const Copy copy;
    copy.folder.write(
        "logo", "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    const auto load = [&] {
        return web::Pages(copy.folder.file(""), {"brand", "", copy.folder.file("logo")});
    };
    const auto first = load();
    BOOST_TEST(first.logo().type == "image/svg+xml");
    const auto html = first.render("error", "en", web::View());
    BOOST_TEST(holds(html, "<img class=\"mark\" src=\"" + first.logo().url + "\" alt=\"\">"));
    BOOST_TEST(!holds(html, "<svg"));
    BOOST_TEST(!holds(copy.load().render("error", "en", web::View()), "<img"));
    BOOST_TEST(holds(copy.load().render("error", "en", web::View()), "<svg"));
    copy.folder.write("logo", "\x89PNG\r\n\x1a\n and so on");
    BOOST_TEST(load().logo().type == "image/png");
    BOOST_TEST(load().logo().url != first.logo().url);
}

BOOST_AUTO_TEST_CASE(a_logo_is_one_of_four_pictures_of_modest_size) {
    const TempFolder folder;
    const auto said = [&](const std::string& bytes) {
        folder.write("logo", bytes);
        try {
            return web::load_logo(folder.file("logo")).type;
        } catch (const std::runtime_error& error) {
            return std::string(error.what());
        }
    };
    BOOST_TEST(said("\xFF\xD8\xFF\xE0") == "image/jpeg");
    BOOST_TEST(said(std::string("RIFF\0\0\0\0WEBPVP8", 15)) == "image/webp");
    BOOST_TEST(said("\xEF\xBB\xBF <!-- ours -->\n<svg>") == "image/svg+xml");
    const std::string limit(256 * 1024 - 4, ' ');
    BOOST_TEST(said("<svg" + limit) == "image/svg+xml");
    BOOST_TEST(holds(said("<svg" + limit + " "), "at most 256 KiB"));
    for (const auto* bad :
         {"GIF89a", "svg", "<html><svg>", "RIFF....AVI ", "text <svg>", "<script>"})
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(holds(said(bad), "an SVG, PNG, JPEG or WebP"));
    BOOST_TEST(holds(said(""), "cannot be read, or is empty"));
    BOOST_TEST(web::load_logo("").bytes.empty());
    BOOST_CHECK_THROW(web::load_logo(folder.file("no such file")), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(what_is_not_set_is_not_shown) {
    const web::Pages pages("conf/pages", {"brand", ""});
    const auto html = pages.render(
        "identity", "en",
        web::View()
            .set("flow_id", "f")
            .flag("offers_skip", false)
            .flag("client_unverified", false)
            .list("scopes", {})
            .set("client_name", ""));
    BOOST_TEST(!holds(html, "per-user/consent/skip"));
    BOOST_TEST(!holds(html, "class=\"unverified\""));
    BOOST_TEST(!holds(html, "<ul>"));
    BOOST_TEST(holds(
        pages.render(
            "identity", "en",
            web::View().set("flow_id", "f").flag("has_ways", true).flag("offers_skip", true)),
        "per-user/consent/skip"));
}

BOOST_AUTO_TEST_CASE(
    a_name_that_shows_nothing_is_no_name_on_a_page, *label("XD6") * label("U6") * label("XG2")) {
    const core::ClientId id("cgc_sample"), document("https://app.example/client.json");
    const web::Pages pages("conf/pages", {"brand", ""});
    const auto shown = [&](const std::string& own, const core::ClientId& client,
                           const std::string& redirect_uri) {
        return pages.client_name("en", {.own = own, .id = client, .redirect_uri = redirect_uri});
    };
    for (const auto* hidden : {"", " ", "\u200B", "\u3164", "\u2800 \u00AD", "\u202E"}) {
        BOOST_TEST_CONTEXT(core::to_hex(hidden)) {
            BOOST_TEST(shown(hidden, id, "https://Client.example:8443/cb") == "client.example");
            BOOST_TEST(shown(hidden, document, "http://127.0.0.1:1/cb") == "app.example");
            BOOST_TEST(shown(hidden, id, "http://127.0.0.1:1/cb") == "An app without a name");
            BOOST_TEST(shown(hidden, id, "cursor://x/cb") == "An app without a name");
            BOOST_TEST(shown(hidden, id, "") == "An app without a name");
        }
    }
    BOOST_TEST(shown(" An App", id, "https://client.example/cb") == "An App");
}

// The zone of the server while it lives.
struct Zone {
    explicit Zone(const char* name) { set(name); }
    ~Zone() { set("UTC"); }
    Zone(const Zone&) = delete;
    Zone& operator=(const Zone&) = delete;
    static void set(const char* name) {
        ::setenv("TZ", name, 1);
        ::tzset();
    }
};

BOOST_AUTO_TEST_CASE(times_are_the_servers_and_name_its_zone, *label("XG3")) {
    const auto summer = core::from_epoch(1'783'000'000); // 2026-07-02T13:46:40Z
    for (const auto& [zone, said] : std::vector<std::pair<const char*, std::string>>{
             {"UTC", "2026-07-02 13:46 UTC"},
             {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-07-02 15:46 CEST"},
             {"<+0330>-3:30", "2026-07-02 17:16 UTC+0330"}}) {
        const Zone there(zone);
        web::View view;
        view.instant("until", summer);
        BOOST_TEST_CONTEXT(zone) {
            BOOST_TEST(web::day_and_time(summer) == said);
            BOOST_TEST(view.entries().size() == 2U);
            BOOST_TEST(view.entries()[0].name == "until_exact");
            BOOST_TEST(std::get<std::string>(view.entries()[0].value) == "2026-07-02T13:46:40Z");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_message_may_set_a_name_apart_and_do_nothing_else, *label("K29")) {
    const Copy copy;
    copy.add(
        "messages.en.properties",
        "\nidentity.heading = <bdi>{{client_name}}</bdi><bdi onclick=x><i></bdi >\n");
    const auto html = copy.load().render("identity", "en", web::View().set("client_name", "<bdi>"));
    BOOST_TEST(holds(html, "<bdi>&lt;bdi&gt;</bdi>&lt;bdi onclick=x&gt;&lt;i&gt;&lt;/bdi &gt;"));
}

BOOST_AUTO_TEST_CASE(every_page_has_an_icon_in_the_operators_colour, *label("XG3")) {
    const Copy copy;
    const auto plain = copy.load(), accented = copy.load("#1a5fb4");
    BOOST_TEST(holds(plain.icon(), "#0d6470"));
    BOOST_TEST(holds(accented.icon(), "#1a5fb4"));
    BOOST_TEST(holds(
        accented.render("error", "en", web::View()),
        "<link rel=\"icon\" href=\"/oauth/icon.svg?v="));
    copy.folder.write("logo", "\x89PNG\r\n\x1a\n and so on");
    const web::Pages branded(copy.folder.file(""), {"brand", "", copy.folder.file("logo")});
    BOOST_TEST(holds(
        branded.render("error", "en", web::View()), "<link rel=\"icon\" href=\"/oauth/logo?v="));
}

BOOST_AUTO_TEST_SUITE_END()
