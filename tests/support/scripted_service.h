// A service's endpoints as a case wants them: they give tokens that tell whose code they were for,
// rotate refresh tokens, and count what they were asked.
#pragma once

#include "consentgate/core/upstream/service.h"
#include "consentgate/sys/http_client.h"
#include "samples.h"

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace consentgate::tests {

class ScriptedService final : public sys::HttpClient {
public:
    int expires_in = 3600;
    std::string fail;                // an error word that every token request is answered with
    std::string more;                // members of every answer with tokens, a comma before each
    bool away = false;               // nothing answers
    bool hangs = false;              // nothing answers before the time is over
    int status = 0, retry_after = 0; // of every answer to a token request; 0: none
    // Answers of the next token requests, in place of its own.
    struct Odd {
        int status = 400;
        std::string body;
        std::string content_type = "application/json";
    };
    std::deque<Odd> odd;
    bool refuses_resource = false; // answers invalid_target to whoever names one
    bool knows_us = true; // false: invalid_client to every client but the newest registered
    int registrations = 0, registration_status = 201;
    std::function<void()> meanwhile = [] {}; // what happens while it thinks
    std::size_t asked = 0;
    std::vector<std::string> redeemed, refreshed,
        revoked;              // codes and tokens, in the order they came
    std::string last_refresh; // the refresh token that came last, whatever was answered
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
        if (request.url.ends_with("/register")) {
            ++registrations;
            return answer(
                registration_status,
                R"({"client_id":"anew-)" + std::to_string(registrations) +
                    R"(","client_secret":"s","token_endpoint_auth_method":"client_secret_post"})");
        }
        if (request.url.ends_with("/revoke")) {
            revoked.push_back(form.get("token").value());
            return answer(200, "");
        }
        if (status != 0) {
            auto said = answer(status, R"({"error":"slow_down"})");
            said.retry_after_seconds = retry_after;
            return said;
        }
        last_refresh = form.get("refresh_token").value_or("");
        if (!odd.empty()) {
            const auto next = odd.front();
            odd.pop_front();
            auto said = answer(next.status, next.body);
            said.content_type = next.content_type;
            return said;
        }
        if (!knows_us && form.get("client_id") != "anew-" + std::to_string(registrations))
            return answer(401, R"({"error":"invalid_client"})");
        if (refuses_resource && form.count("resource") > 0)
            return answer(400, R"({"error":"invalid_target"})");
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
                     std::to_string(expires_in) + more + "}");
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
