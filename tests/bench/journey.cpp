#include "journey.h"

#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/text.h"
#include "consentgate/sys/random.h"

#include <stdexcept>

namespace consentgate::bench {
namespace {

constexpr std::string_view redirect_uri = "http://127.0.0.1:53111/callback";
constexpr std::string_view api = "/api/oauth/per-user/";
constexpr std::string_view browser_headers =
    "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\nAccept-Language: "
    "en\r\nSec-Fetch-Site: same-origin\r\n";

std::string origin_of(int port) { return "http://127.0.0.1:" + std::to_string(port); }

std::string post_text(
    std::string_view path, std::string_view origin, std::string_view headers, std::string_view type,
    std::string_view body) {
    std::string text = "POST ";
    text.append(path)
        .append(" HTTP/1.1\r\nHost: ")
        .append(origin.substr(7))
        .append("\r\n")
        .append(headers);
    text.append("Content-Type: ")
        .append(type)
        .append("\r\nContent-Length: ")
        .append(std::to_string(body.size()))
        .append("\r\n\r\n");
    return text.append(body);
}

} // namespace

std::string between(std::string_view text, std::string_view before, std::string_view after) {
    const auto begin = text.find(before);
    if (begin == std::string_view::npos)
        throw std::runtime_error("an answer lacks " + std::string(before));
    const auto rest = text.substr(begin + before.size());
    return std::string(rest.substr(0, rest.find(after)));
}

std::string client_post(
    int port, std::string_view endpoint, std::string_view form, std::string_view headers) {
    return post_text(
        std::string(api).append(endpoint), origin_of(port), headers,
        "application/x-www-form-urlencoded", form);
}

std::string noop_post(int port) {
    return post_text(
        "/noop", origin_of(port), "", "application/x-www-form-urlencoded", std::string(60, 'x'));
}

std::string register_client(int port, bool refreshes) {
    HttpClient http(port);
    const auto body =
        "{\"client_name\":\"bench\",\"redirect_uris\":[\"" + std::string(redirect_uri) +
        "\"],\"token_endpoint_auth_method\":\"none\"" +
        (refreshes ? ",\"grant_types\":[\"authorization_code\",\"refresh_token\"]}" : "}");
    const auto reply = http.exchange(
        post_text(std::string(api) + "register", origin_of(port), "", "application/json", body));
    if (reply.status != 201)
        throw std::runtime_error("the client was not registered: " + std::string(reply.body));
    return between(reply.body, "\"client_id\":\"", "\"");
}

SignIn::SignIn(int port, std::string client_id)
    : http_(port), origin_(origin_of(port)), client_id_(std::move(client_id)) {}

void SignIn::prepare() {
    sys::OsRandom random;
    verifier_ = random.id(32);
    challenge_ = core::to_base64url(core::sha256_bytes(verifier_));
    cookie_.clear();
}

Response SignIn::expect(std::string_view step, Response response, int status) const {
    if (response.status == status) return response;
    throw std::runtime_error(
        std::string(step) + " was answered with " + std::to_string(response.status) + ": " +
        std::string(response.body));
}

Response SignIn::get(std::string_view step, std::string_view target, int status) {
    request_ = "GET ";
    request_.append(target)
        .append(" HTTP/1.1\r\nHost: ")
        .append(std::string_view(origin_).substr(7))
        .append("\r\n")
        .append(browser_headers);
    request_.append(cookie_).append("\r\n");
    return expect(step, http_.exchange(request_), status);
}

Response SignIn::post(
    std::string_view step, std::string_view path, std::string_view body, int status) {
    const auto headers = std::string(browser_headers) + "Origin: " + origin_ + "\r\n" + cookie_;
    return expect(
        step,
        http_.exchange(post_text(
            std::string(api).append(path), origin_, headers, "application/x-www-form-urlencoded",
            body)),
        status);
}

void SignIn::travel() { redeem(finish()); }

std::string SignIn::finish() {
    const auto query = "?response_type=code&client_id=" + client_id_ +
                       "&redirect_uri=" + core::percent_encode(redirect_uri) +
                       "&code_challenge=" + challenge_ +
                       "&code_challenge_method=S256&state=" + verifier_.substr(0, 16) +
                       "&resource=" + core::percent_encode(origin_ + "/mcp");
    const auto started = get("authorize", std::string(api) + "authorize" + query, 302);
    const auto page = std::string(started.header("Location"));
    cookie_ = "Cookie: " + between(started.header("Set-Cookie"), "", ";") + "\r\n";
    const auto flow = "flow_id=" + between(page, "flow_id=", "&");
    get("the identity page", page, 200);
    const auto services =
        std::string(post("user-id", "consent/user-id", flow + "&user_id=anna%40example.org", 302)
                        .header("Location"));
    get("the services page", services, 200);
    const auto code =
        between(post("submit", "consent/submit", flow, 302).header("Location"), "code=", "&");
    return "grant_type=authorization_code&client_id=" + client_id_ + "&code=" + code +
           "&code_verifier=" + verifier_;
}

std::string SignIn::redeem(std::string_view form) {
    const auto granted = expect(
        "token",
        http_.exchange(post_text(
            std::string(api) + "token", origin_, "", "application/x-www-form-urlencoded", form)),
        200);
    between(granted.body, "\"access_token\":\"", "\"");
    return std::string(granted.body);
}

SixRequests::SixRequests(int port) : http_(port) {
    const std::string cookie = "Cookie: consentgate_browser=" + std::string(43, 'x') + "\r\n";
    get_ = "GET /noop?" + std::string(60, 'x') + " HTTP/1.1\r\nHost: " + origin_of(port).substr(7) +
           "\r\n" + std::string(browser_headers) + cookie + "\r\n";
    post_ = post_text(
        "/noop", origin_of(port), std::string(browser_headers) + cookie,
        "application/x-www-form-urlencoded", std::string(60, 'x'));
}

void SixRequests::travel() {
    for (const auto* request : {&get_, &get_, &post_, &get_, &post_, &post_}) {
        if (http_.exchange(*request).status != 200)
            throw std::runtime_error("the program that does nothing failed at it");
    }
}

std::vector<std::string> sign_in(int port, std::size_t people) {
    const auto client = register_client(port);
    SignIn person(port, client);
    std::vector<std::string> tokens;
    while (tokens.size() < people) {
        person.prepare();
        tokens.emplace_back(between(person.redeem(person.finish()), "\"access_token\":\"", "\""));
    }
    return tokens;
}

} // namespace consentgate::bench
