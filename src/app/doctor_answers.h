// The doctor's rules share these: how an answer reads, and what keeps every answer away. Private
// to this module.
#pragma once

#include "front_words.h"

#include "consentgate/app/doctor.h"

#include <optional>
#include <string>
#include <string_view>

namespace consentgate::app {

// Remedies of more than one rule. fix_for() in front_config.h takes the part for one web server,
// which stands after its name.
extern const char* const fix_pages;
extern const char* const fix_gate;
extern const char* const fix_mount;
extern const char* const fix_authorization;

std::string summary(const sys::HttpResponse& response); // "answered 302, to https://…"
bool is_success(const sys::HttpResponse& response);
bool names_server_error(const sys::HttpResponse& response);

// Nobody answers, or TLS fails, which keeps every client out.
// out: absent: there is an answer
std::optional<Finding> find_silence(const std::string& url, const sys::HttpResponse& response);

// A redirect to http takes the browser, and what it sends, out of TLS.
std::optional<Finding> find_lost_https(const std::string& url, const sys::HttpResponse& response);

} // namespace consentgate::app
