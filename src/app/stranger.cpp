#include "stranger.h"

#include "consentgate/core/base/form.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/metadata.h"
#include "consentgate/web/paths.h"

namespace consentgate::app {
namespace {

using sys::HttpResponse;
using Pairs = std::vector<std::pair<std::string, std::string>>;
using End = StrangerWalk::End;

constexpr const char* form_type = "application/x-www-form-urlencoded";

std::string form_of(const Pairs& pairs) {
    std::string text;
    for (const auto& [name, value] : pairs)
        text += (text.empty() ? "" : "&") + core::percent_encode(name) + "=" +
                core::percent_encode(value);
    return text;
}

std::string parameter(const std::string& url, const std::string& name) {
    const auto question = url.find('?');
    const auto form =
        core::Form::parse(question == std::string::npos ? "" : url.substr(question + 1));
    return form ? form->get(name).value_or("") : std::string();
}

std::string json_member(const HttpResponse& response, const std::string& name) {
    const auto object = core::parse_json_object(response.body.reveal());
    return object ? object->text(name).value_or("") : std::string();
}

// One walk. Each step leaves in `walk` how far it got, and says whether there is a next one.
class Walker {
public:
    Walker(
        const AskServer& ask, const Stranger& stranger, const core::GuardedResource& resource,
        const core::Policy& policy)
        : ask_(ask),
          origin_(policy.origin()),
          resource_(resource.url),
          client_(stranger.client_id),
          verifier_(stranger.verifier) {}

    StrangerWalk walk() {
        if (enter() && choose() && finish()) end(End::signed_in);
        return std::move(walk_);
    }

private:
    bool end(End at, const HttpResponse* response = nullptr) {
        walk_.end = at;
        if (response) walk_.last = *response;
        return false;
    }

    HttpResponse get(const std::string& target) {
        return ask_("GET", origin_ + target, headers(), "", "");
    }
    HttpResponse post(const std::string& path, const Pairs& pairs) {
        return ask_("POST", origin_ + path, headers(), form_of(pairs), form_type);
    }
    Pairs headers() const {
        Pairs sent{{"Accept", "text/html"}};
        if (!cookie_.empty()) sent.emplace_back("Cookie", cookie_);
        return sent;
    }

    bool enter() {
        if (client_.empty()) {
            const auto registered = ask_(
                "POST", origin_ + core::endpoint::register_client, {},
                core::json_string(core::JsonObject()
                                      .set("client_name", std::string(stranger_name))
                                      .set("redirect_uris", core::json_array({stranger_redirect}))
                                      .set("token_endpoint_auth_method", std::string("none"))),
                "application/json");
            client_ = json_member(registered, "client_id");
            if (client_.empty()) return end(End::not_registered, &registered);
        }
        const auto begun =
            get(std::string(core::endpoint::authorize) + "?" +
                form_of(
                    {{"response_type", "code"},
                     {"client_id", client_},
                     {"redirect_uri", stranger_redirect},
                     {"resource", resource_},
                     {"code_challenge", core::to_base64url(core::sha256_bytes(verifier_))},
                     {"code_challenge_method", "S256"}}));
        flow_ = parameter(begun.location, "flow_id");
        cookie_ = begun.set_cookie.substr(0, begun.set_cookie.find(';'));
        if (begun.status == 401 || (begun.status == 302 && flow_.empty() &&
                                    !begun.location.starts_with(stranger_redirect)))
            return end(End::sent_to_sign_in, &begun);
        return !flow_.empty() || end(End::refused, &begun);
    }

    // As page 1 offers it.
    bool choose() {
        const auto page = get(web::page_of_flow(web::path::identity_page, core::FlowId(flow_)));
        if (page.status != 200) return end(End::refused, &page);
        const auto& text = page.body.reveal();
        const auto offers = [&](const std::string& step) {
            return text.find("/api/oauth/per-user/consent/" + step + "\"") != std::string::npos;
        };
        const bool skip = offers("skip");
        if (!skip && !offers("user-id"))
            return end(offers("vk") ? End::asked_for_key : End::nobody_offered, &page);
        walk_.named = !skip;
        const auto chosen = skip ? post("/api/oauth/per-user/consent/skip", {{"flow_id", flow_}})
                                 : post(
                                       "/api/oauth/per-user/consent/user-id",
                                       {{"flow_id", flow_}, {"user_id", "doctor"}});
        const bool on = chosen.location.find(web::path::services_page) != std::string::npos;
        return on || end(End::refused, &chosen);
    }

    bool finish() {
        const auto submitted = post("/api/oauth/per-user/consent/submit", {{"flow_id", flow_}});
        const auto code = parameter(submitted.location, "code");
        if (code.empty()) return end(End::refused, &submitted);
        const auto answer = post(
            core::endpoint::token, {{"grant_type", "authorization_code"},
                                    {"client_id", client_},
                                    {"code", code},
                                    {"code_verifier", verifier_}});
        const auto token = json_member(answer, "access_token");
        if (token.empty()) return end(End::refused, &answer);
        post(core::endpoint::revoke, {{"client_id", client_}, {"token", token}});
        return true;
    }

    const AskServer& ask_;
    std::string origin_, resource_, client_, verifier_;
    std::string cookie_, flow_;
    StrangerWalk walk_;
};

} // namespace

StrangerWalk walk_as_stranger(
    const AskServer& ask, const Stranger& stranger, const core::GuardedResource& resource,
    const core::Policy& policy) {
    return Walker(ask, stranger, resource, policy).walk();
}

} // namespace consentgate::app
