// A service's endpoints as a case wants them: they give tokens that tell whose code they were for,
// rotate refresh tokens, and count what they were asked.
#pragma once

#include "consentgate/core/upstream/service.h"
#include "consentgate/sys/http_client.h"
#include "samples.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace consentgate::tests {

class ScriptedService final : public sys::HttpClient {
public:
    int expires_in = 3600;
    std::string fail;  // an error word that every token request is answered with
    bool away = false; // nothing answers
    std::vector<std::string> redeemed, refreshed,
        revoked; // codes and tokens, in the order they came
    std::set<sys::AddressPolicy> policies;
    std::set<std::string> operator_urls;

    sys::HttpResponse send(const sys::HttpRequest& request) override {
        policies.insert(request.addresses);
        operator_urls.insert(request.operator_url);
        if (away) return {};
        const auto form = form_of(request.body.reveal());
        if (request.url.ends_with("/revoke")) {
            revoked.push_back(form.get("token").value());
            return answer(200, "");
        }
        if (!fail.empty()) return answer(400, R"({"error":")" + fail + "\"}");
        const bool refresh = form.get("grant_type") == "refresh_token";
        const auto given = form.get(refresh ? "refresh_token" : "code").value();
        (refresh ? refreshed : redeemed).push_back(given);
        if (refresh && given != current_) return answer(400, R"({"error":"invalid_grant"})");
        const auto next = refresh ? given + "+" : "refresh of " + given;
        current_ = core::to_base64url(next);
        return answer(
            200, R"({"access_token":"access-)" +
                     (refresh ? "refreshed-" + std::to_string(refreshed.size()) : given) +
                     R"(","token_type":"Bearer","refresh_token":")" + current_ +
                     R"(","expires_in":)" + std::to_string(expires_in) + "}");
    }

private:
    static sys::HttpResponse answer(int status, const std::string& body) {
        sys::HttpResponse made;
        made.answered = true;
        made.status = status;
        made.content_type = "application/json";
        made.body = core::Secret(body);
        return made;
    }
    std::string current_; // the only refresh token that is good
};

} // namespace consentgate::tests
