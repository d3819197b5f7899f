// The forms and queries of the token endpoint, of a service's answer through the browser, and of
// our own pages. The input is one of them, and all readers look at it.
#include "require.h"

#include "tests/support/samples.h"

#include "consentgate/core/oauth/pkce.h"
#include "consentgate/core/oauth/refresh.h"
#include "consentgate/web/requests.h"

using namespace consentgate;
using core::ErrorCode;
using tests::require;

namespace {

template <class Value>
bool refused(const core::Result<Value>& read, std::initializer_list<ErrorCode> codes) {
    if (read) return false;
    require(
        std::find(codes.begin(), codes.end(), read.error().code) != codes.end(),
        "a refusal has one of the codes that its header lists");
    require(!read.error().back, "a refusal redirects nowhere");
    require(
        core::plain_ascii(read.error().message) == read.error().message &&
            core::plain_ascii(read.error().reason) == read.error().reason,
        "a refusal is plain ASCII");
    return true;
}

void look_at_token_request(const core::Form& form) {
    const auto sent = web::read_token_request(form);
    const core::ClientId client("cgc_sample");
    const auto grant = core::parse_grant_type(sent, tests::sample_policy());
    if (!refused(grant, {ErrorCode::invalid_request, ErrorCode::unsupported_grant_type})) {
        const bool refreshes = *grant == core::GrantType::refresh_token;
        for (const auto* name :
             {"grant_type", "client_id", refreshes ? "scope" : "code",
              refreshes ? "refresh_token" : "code_verifier"})
            require(form.count(name) < 2, "a request that repeats what counts is none");
    }
    const auto code = core::parse_code_request(sent, client);
    if (!refused(
            code,
            {ErrorCode::invalid_request, ErrorCode::invalid_target, ErrorCode::invalid_grant})) {
        require(
            code->client_id == client && !code->code.empty() &&
                core::valid_verifier(code->verifier.reveal()),
            "a code comes with a verifier");
        require(!form.parameter_of_equals("resource").repeated(), "a code is for one resource");
    }
    const auto refresh = core::parse_refresh(sent, client);
    if (!refused(
            refresh,
            {ErrorCode::invalid_request, ErrorCode::invalid_target, ErrorCode::invalid_scope})) {
        require(
            refresh->token.reveal() == form.get("refresh_token"), "a refresh token is as it came");
        require(
            !refresh->scope || core::ScopeSet::parse(refresh->scope->text()) == *refresh->scope,
            "scopes can be written and read again");
    }
}

void look_at_exchange(const core::Form& form) {
    const auto exchange = core::parse_token_exchange(web::read_exchange_request(form));
    if (refused(exchange, {ErrorCode::invalid_request, ErrorCode::invalid_target})) return;
    require(!exchange->subject_token.empty(), "an exchange has a token");
    require(exchange->audience || exchange->resource, "an exchange names a service");
    require(form.count("actor_token") == 0, "nobody acts for another");
}

void look_at_callback(const core::Form& form) {
    const auto callback = core::parse_callback(web::read_callback(form));
    if (refused(callback, {ErrorCode::invalid_upstream_state})) return;
    require(
        callback->state.reveal().size() == 43 && core::is_base64url(callback->state.reveal()),
        "a state has the shape of ours");
    require(
        callback->code.has_value() == callback->error.empty(), "an answer is a code or an error");
    require(
        callback->error.size() <= 64 && core::plain_ascii(callback->error) == callback->error,
        "an error is short and plain");
    for (const auto* name : {"code", "error", "iss"})
        require(!callback->code || form.count(name) < 2, "an answer repeats nothing");
}

void look_at_consent(const core::Form& form) {
    const auto flow = web::read_form_flow_id(form);
    if (!refused(
            flow,
            {ErrorCode::missing_flow_id, ErrorCode::invalid_flow, ErrorCode::invalid_request})) {
        require(
            flow->text.size() == 22 && core::is_base64url(flow->text),
            "a flow id has the shape of ours");
        for (const auto* name : {web::field::flow_id, web::field::virtual_key, web::field::user_id})
            require(form.count(name) < 2, "our forms repeat nothing");
    }
    const auto service = web::read_service_id(form);
    if (!refused(service, {ErrorCode::invalid_request}))
        require(!service->text.empty(), "a service has an id");
    const auto typed = core::validate_user_id(form.get(web::field::user_id));
    if (refused(typed, {ErrorCode::invalid_user_id})) return;
    require(
        core::is_user_id(typed->value) && core::trim(typed->value) == typed->value,
        "a typed name is visible text without blanks around it");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto form = core::Form::parse(tests::text_of_input(data, size));
    if (!form) return 0; // tests/fuzz/form.cpp looks at these
    look_at_token_request(*form);
    look_at_exchange(*form);
    look_at_callback(*form);
    look_at_consent(*form);
    const auto named = web::read_named_token(*form);
    require(!named.not_repeated || form->count("token") < 2, "one token is named");
    return 0;
}
