// Registrations that clients send, and what becomes of them.
#pragma once

#include "consentgate/core/oauth/client.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

namespace consentgate::tests {

using namespace core;

inline Result<Client> registered(const std::string& body) {
    return validate_registration(body, sample_policy(), ClientId("cgc_fresh"), noon);
}

// A body with one good redirect URI and these members besides.
inline std::string body_with(const std::string& members) {
    return R"({"redirect_uris":["https://c.example/cb"])" + (members.empty() ? "" : "," + members) +
           "}";
}

inline std::string body_with_uris(
    std::size_t count, const std::string& uri = "https://c.example/cb") {
    std::string uris;
    for (std::size_t i = 0; i < count; ++i)
        uris += (i == 0 ? "\"" : ",\"") + uri + std::to_string(i) + "\"";
    return "{\"redirect_uris\":[" + uris + "]}";
}

inline std::optional<JsonObject> document_of(const std::string& body) {
    const auto client = registered(body);
    BOOST_REQUIRE_MESSAGE(client, "refused: " << body);
    return json_of(registration_response(*client, std::nullopt));
}

} // namespace consentgate::tests
