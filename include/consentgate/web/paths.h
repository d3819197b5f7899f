// Addresses of pages and forms, which the pages link to: paths below the origin.
#pragma once

#include "consentgate/core/base/error.h"

#include <string>

namespace consentgate::web {

// spec: docs/http.md Addresses
namespace path {
inline constexpr const char* client_form = "/api/oauth/per-user/consent/client";
inline constexpr const char* upstream_authorize = "/api/oauth/per-user/upstream/authorize";
inline constexpr const char* upstream_connect =
    "/api/oauth/per-user/upstream/connect"; // the form of a link's page
inline constexpr const char* upstream_key =
    "/api/oauth/per-user/upstream/key"; // the form of the page where a key is pasted
inline constexpr const char* upstream_change =
    "/api/oauth/per-user/upstream/change"; // the forms of page 2 about a linked account
inline constexpr const char* sessions_page = "/oauth/sessions";
inline constexpr const char* signin = "/oauth/signin";     // of each provider below it
inline constexpr const char* callback = "/callback";       // after a provider's id
inline constexpr const char* backchannel = "/backchannel"; // as that
inline constexpr const char* signin_start = "/oauth/signin/start";
inline constexpr const char* signin_go_on = "/oauth/signin/go-on";
inline constexpr const char* signin_try = "/oauth/signin/try"; // an operator's trial
inline constexpr const char* signin_out = "/oauth/signin/out";
inline constexpr const char* identity_page = "/oauth/consent";
inline constexpr const char* services_page = "/oauth/consent/mcps";
inline constexpr const char* remembered_page = "/oauth/consent/remembered";
inline constexpr const char* done_page = "/oauth/consent/done";
} // namespace path

// The page as it is about one flow.
std::string page_of_flow(const char* page, const core::FlowId& flow);

// The address where the person of a session connects a service. in: origin  ours
core::Secret connect_url(const std::string& origin, const core::ConnectLink& link);

} // namespace consentgate::web
