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
    std::string fail;                // an error word that every token request is answered with
    bool away = false;               // nothing answers
    bool hangs = false;              // nothing answers before the time is over
    int status = 0, retry_after = 0; // of every answer to a token request; 0: none
    std::function<void()> meanwhile = [] {}; // what happens while it thinks
    std::size_t asked = 0;
    std::vector<std::string> redeemed, refreshed,
        revoked; // codes and tokens, in the order they came
    std::set<sys::AddressPolicy> policies;
    std::set<std::string> operator_urls;

    sys::HttpResponse send(const sys::HttpRequest& request) override {
        policies.insert(request.addresses);
        operator_urls.insert(request.operator_url);
        ++asked;
        meanwhile();
        if (away || hangs) {
            sys::HttpResponse none;
            none.timed_out = hangs;
            return none;
        }
        const auto form = form_of(request.body.reveal());
        if (request.url.ends_with("/revoke")) {
            revoked.push_back(form.get("token").value());
            return answer(200, "");
        }
        if (status != 0) {
            auto said = answer(status, R"({"error":"slow_down"})");
            said.retry_after_seconds = retry_after;
            return said;
        }
        if (!fail.empty()) return answer(400, R"({"error":")" + fail + "\"}");
        const bool refresh = form.get("grant_type") == "refresh_token";
        const auto given = form.get(refresh ? "refresh_token" : "code").value();
        (refresh ? refreshed : redeemed).push_back(given);
        if (refresh && good_.erase(given) == 0) return answer(400, R"({"error":"invalid_grant"})");
        const auto next = refresh ? given + "+" : "refresh of " + given;
        const auto token = core::to_base64url(next);
        good_.insert(token);
        return answer(
            200, R"({"access_token":"access-)" +
                     (refresh ? "refreshed-" + std::to_string(refreshed.size()) : given) +
                     R"(","token_type":"Bearer","refresh_token":")" + token + R"(","expires_in":)" +
                     std::to_string(expires_in) + "}");
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
    std::set<std::string> good_; // refresh tokens
};

} // namespace consentgate::tests
