#include "consentgate/web/answer.h"

#include "consentgate/core/consent.h"
#include "consentgate/core/form.h"
#include "consentgate/core/json.h"
#include "consentgate/core/metadata.h"
#include "consentgate/core/text.h"
#include "consentgate/core/uri.h"

namespace consentgate::web {
namespace {

using core::Fault;
using Poco::JSON::Object;

// The same fault is 401 to a program that failed to authenticate and 400 to a person whose app sent a wrong id.
int page_status(Fault fault) { return fault == Fault::invalid_client ? 400 : core::traits(fault).status; }

// invalid_redirect_uri is a registration error; at the token and authorization endpoints OAuth knows it as invalid_request.
Reply oauth_answer(const core::Error& error, const Request& request) {
    const auto& known = core::traits(error.fault);
    Object body(Poco::JSON_PRESERVE_KEY_ORDER);
    body.set("error", std::string(known.oauth_error));
    if (!error.say.empty()) body.set("error_description", core::plain_ascii(error.say));
    if (error.fault == Fault::interaction_required && error.onward) body.set("connect_uri", error.onward->reveal());
    auto reply = answer_json(known.status, core::json_string(body));
    reply.header("Cache-Control", "no-store").header("Pragma", "no-cache");
    if (error.fault == Fault::invalid_client && request.authorization) reply.header("WWW-Authenticate", "Basic realm=\"consentgate\"");
    return reply;
}

Reply json_answer(const core::Error& error) {
    Object body(Poco::JSON_PRESERVE_KEY_ORDER);
    body.set("error", std::string(core::traits(error.fault).name));
    return answer_json(core::traits(error.fault).status, core::json_string(body)).header("Cache-Control", "no-store");
}

// law: contract section 2; every member is there, strings are never null
Reply gateway_answer(const core::Error& error, const Request& request, const std::string& request_type) {
    const auto& known = core::traits(error.fault);
    const int status = page_status(error.fault);
    Object inner(Poco::JSON_PRESERVE_KEY_ORDER);
    inner.set("type", std::string(known.type));
    inner.set("code", std::string(known.name));
    inner.set("message", core::plain_ascii(error.say));
    inner.set("param", core::plain_ascii(error.param));
    inner.set("event_id", request.event_id);
    Object extra(Poco::JSON_PRESERVE_KEY_ORDER);
    extra.set("provider", "").set("model_requested", "").set("request_type", request_type);
    Object body(Poco::JSON_PRESERVE_KEY_ORDER);
    body.set("event_id", request.event_id).set("type", "error").set("is_bifrost_error", true).set("status_code", status);
    body.set("error", inner).set("extra_fields", extra);
    auto reply = answer_json(status, core::json_string(body));
    reply.header("Cache-Control", "no-store").header("Referrer-Policy", "no-referrer");
    if (error.fault == Fault::invalid_bearer) reply.header("WWW-Authenticate", "Bearer error=\"invalid_token\"");
    return reply;
}

// A person's mistake leads back to the page where it can be mended, with a word of a closed set.
std::optional<Reply> way_back(const core::Error& error, const Request& request) {
    const bool mistake = error.fault == Fault::identity_required || error.fault == Fault::invalid_virtual_key || error.fault == Fault::invalid_user_id;
    if (!mistake) return std::nullopt;
    const auto form = core::Form::parse(request.method == "POST" ? request.body : request.query);
    const auto flow = form ? core::parse_flow_id(*form) : core::Result<core::FlowId>(core::FlowId());
    if (!flow) return std::nullopt;
    return answer_redirect(std::string(core::path::identity_page) + "?flow_id=" + flow->text + "&error=" + std::string(core::traits(error.fault).name));
}

Reply page_answer(const core::Error& error, const Request& request, const Site& site) {
    if (error.back && error.back->at_once()) {
        return answer_redirect(core::error_location(*error.back, core::traits(error.fault).oauth_error, error.say, site.world.policy));
    }
    return answer_error_page(error, request, site);
}

Reply add_retry_after(Reply reply, const core::Error& error) {
    const int seconds = error.retry_after_seconds > 0 ? error.retry_after_seconds : error.fault == Fault::store_unavailable ? 2 : 0;
    if (seconds > 0) reply.header("Retry-After", std::to_string(seconds));
    return reply;
}

Reply faced(const core::Error& error, Face face, const Request& request, const Site& site, const std::string& request_type) {
    switch (face) {
    case Face::page: return page_answer(error, request, site);
    case Face::gateway:
        return prefers_html(request) ? answer_error_page(error, request, site) : gateway_answer(error, request, request_type);
    case Face::oauth: return oauth_answer(error, request);
    case Face::json: return json_answer(error);
    }
    return json_answer(error);
}

} // namespace

Reply answer(const core::Error& error, Face face, const Request& request, const Site& site, const std::string& request_type) {
    if (auto back = way_back(error, request)) return std::move(*back);
    return add_retry_after(faced(error, face, request, site, request_type), error);
}

Reply answer_json(int status, std::string document) {
    Reply reply{status, {}, std::move(document)};
    return reply.header("Content-Type", "application/json").header("X-Content-Type-Options", "nosniff");
}

Reply answer_html(int status, std::string html, const std::string& form_action) {
    Reply reply{status, {}, std::move(html)};
    reply.header("Content-Type", "text/html; charset=utf-8");
    reply.header("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action " + form_action +
                                                "; frame-ancestors 'none'; base-uri 'none'");
    reply.header("X-Frame-Options", "DENY").header("X-Content-Type-Options", "nosniff");
    return reply.header("Referrer-Policy", "no-referrer").header("Cache-Control", "no-store");
}

Reply answer_lasting(const std::string& type, std::string bytes) {
    Reply reply{200, {}, std::move(bytes)};
    return reply.header("Content-Type", type).header("Cache-Control", "public, max-age=31536000, immutable").header("X-Content-Type-Options", "nosniff");
}

Reply answer_redirect(std::string location) {
    Reply reply{302, {}, {}};
    return reply.header("Location", std::move(location)).header("Cache-Control", "no-store").header("Referrer-Policy", "no-referrer");
}

Reply answer_mcp_preflight() {
    return Reply{204, {}, {}}
        .header("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS")
        .header("Access-Control-Allow-Headers", "Authorization, Content-Type, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID")
        .header("Access-Control-Max-Age", "3600");
}

Reply open_to_browsers(Reply reply) {
    return std::move(reply.header("Access-Control-Allow-Origin", "*").header("Access-Control-Expose-Headers", "WWW-Authenticate, Mcp-Session-Id"));
}

Reply answer_error_page(const core::Error& error, const Request& request, const Site& site) {
    const auto language = site.pages.language_for(request.accept_language);
    const auto words = [&](const std::string& fault, const std::string& part) { return site.pages.message(language, "error." + fault + "." + part); };
    // Faults that only programs meet have no words of their own.
    auto fault = std::string(core::traits(error.fault).name);
    if (!words(fault, "title")) fault = "invalid_request";
    View view;
    for (const auto* part : {"title", "what", "next"}) view.set(part, words(fault, part).value_or(""));
    view.set("event_id", request.event_id);

    std::vector<std::string> details;
    for (const auto& address : core::split(error.detail, '\n')) {
        const bool refused = details.empty() && !error.detail.starts_with('\n');
        details.push_back(site.pages.message(language, refused ? "error.detail.refused" : "error.detail.registered").value_or("") + " " +
                          core::display_text(core::valid_utf8(address) ? address : core::plain_ascii(address), 500));
    }
    const bool telling = error.back || error.fault == Fault::invalid_client_document;
    if (error.detail.empty() && !error.say.empty() && telling) details.push_back(core::plain_ascii(error.say));
    view.flag("has_details", !details.empty()).texts("details", std::move(details));
    if (error.back) {
        view.set("return_url", core::error_location(*error.back, core::traits(error.fault).oauth_error, error.say, site.world.policy));
        view.set("return_target", core::describe_redirect(error.back->redirect_uri()).shown);
    }
    if (error.onward) view.set("onward_url", error.onward->reveal()).set("onward_target", error.onward_target);
    return answer_html(page_status(error.fault), site.pages.render("error", language, std::move(view)), "'none'");
}

} // namespace consentgate::web
