// A request to any page or endpoint, on a database with a sign-in under way: "METHOD TARGET" in the
// first line, then headers as "name: value" up to an empty line, then the body. {flow} and {cookie}
// stand for those of the sign-in.
#include "lines.h"
#include "require.h"

#include "tests/support/web_server.h"

#include <Poco/String.h>

using namespace consentgate;
using tests::require;

namespace {

std::optional<std::string>* header_in(web::Request& request, std::string_view name) {
    const std::pair<std::string_view, std::optional<std::string>*> known[] = {
        {"accept", &request.accept},
        {"accept-language", &request.accept_language},
        {"authorization", &request.authorization},
        {"content-type", &request.content_type},
        {"cookie", &request.cookie},
        {"origin", &request.origin},
        {"sec-fetch-site", &request.fetch_site},
        {"sec-fetch-mode", &request.fetch_mode},
        {"remote-user", &request.remote_user}};
    for (const auto& [header, place] : known)
        if (header == name) return place;
    return nullptr;
}

web::Request read(std::string_view text) {
    const auto first = tests::take_line(text);
    const auto blank = std::min(first.find(' '), first.size());
    auto request = tests::TestServer::request(
        std::string(first.substr(0, blank)),
        std::string(first.substr(std::min(blank + 1, first.size()))));
    while (!text.empty()) {
        const auto line = tests::take_line(text);
        if (line.empty()) break;
        const auto colon = std::min(line.find(": "), line.size());
        if (auto* header = header_in(request, line.substr(0, colon)))
            *header = std::string(line.substr(std::min(colon + 2, line.size())));
    }
    request.body = std::string(text);
    return request;
}

void look_at_body(const web::Reply& reply) {
    const auto type = tests::header_of(reply, "Content-Type");
    if (type.starts_with("application/json"))
        require(core::parse_json_object(reply.body).has_value(), "a JSON answer is JSON");
    if (!type.starts_with("text/html")) return;
    require(core::valid_utf8(reply.body), "a page is UTF-8");
    require(
        tests::header_of(reply, "Content-Security-Policy").starts_with("default-src 'none'"),
        "a page runs nothing of anybody's");
    require(reply.body.find("<zq") == std::string::npos, "a page escapes what it shows");
}

void look_at_headers(const web::Reply& reply) {
    for (const auto& [name, value] : reply.headers)
        require(!core::has_control(value), "a header is one line");
    const auto location = tests::header_of(reply, "Location");
    require(
        location == "(absent)" || location.find_first_of(" <>\"\\") == std::string::npos,
        "a location is one address");
}

void look_at_log(const std::string& log, const std::string& cookie) {
    require(
        log.empty() || (log.ends_with('\n') && core::valid_utf8(log)), "the log is lines of text");
    for (const auto& line : core::split(log, '\n'))
        require(!core::has_control(line), "nothing opens a line of the log");
    require(log.find(cookie) == std::string::npos, "the log holds no cookie");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bool in_memory = ::setenv("TMPDIR", "/dev/shm", 1) == 0;
    require(in_memory, "there is an environment");
    static tests::TestServer server;
    static tests::Journey journey(server);
    std::string text(tests::text_of_input(data, size));
    if (text.find("{flow}") != std::string::npos || journey.flow.empty()) journey.begin();
    Poco::replaceInPlace(text, std::string("{flow}"), journey.flow);
    Poco::replaceInPlace(text, std::string("{cookie}"), journey.cookie);
    server.log.clear();
    const auto reply = server.ask(read(text));
    require(reply.status >= 200 && reply.status < 500, "nobody's request is a failure of ours");
    look_at_headers(reply);
    look_at_body(reply);
    look_at_log(server.log, journey.cookie.substr(journey.cookie.find('=') + 1));
    return 0;
}
