// A fetcher that answers as a case wants and counts how often it was asked.
#pragma once

#include "consentgate/sys/document_fetcher.h"
#include "samples.h"

#include <functional>

namespace consentgate::tests {

inline constexpr const char* document_url = "https://app.example/client.json";

inline std::string document_text(
    const std::string& name = "An App",
    const std::string& redirect_uri = "http://127.0.0.1/callback") {
    return std::string(R"({"client_id":")") + document_url + R"(","client_name":")" + name +
           R"(","redirect_uris":[")" + redirect_uri + "\"]}";
}

inline sys::Fetched answered(
    const std::string& body, const std::string& cache_control = "max-age=600", int status = 200) {
    return {
        sys::Fetched::Outcome::answered,
        {status, "application/json", body, false, {cache_control, "", ""}}};
}

struct ScriptedFetcher final : sys::DocumentFetcher {
    std::function<sys::Fetched(int)> answer = [](int) {
        return answered(document_text());
    }; // in: how often it was asked before
    int asked = 0;
    std::string caller{}; // of the last turn, and whether its document was known
    bool known = false;

    sys::Fetched fetch(
        const core::DocumentUrl&, core::Instant, const sys::FetchTurn& turn) override {
        caller = turn.caller;
        known = turn.known;
        if (!turn.still_needed()) return {sys::Fetched::Outcome::look_again};
        auto fetched = answer(asked++);
        if (fetched.outcome == sys::Fetched::Outcome::answered) turn.keep(fetched.answer);
        return fetched;
    }
};

} // namespace consentgate::tests
