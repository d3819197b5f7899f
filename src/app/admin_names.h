// Finds the things that an operator names by id, URL, path or name, wherever a command takes one. A
// name counts when it is only one's: several are listed, and none is guessed. Private to this
// module.
// spec: docs/requirements_from_use.md XF4
#pragma once

#include "admin.h"

#include "consentgate/core/oauth/client.h"
#include "consentgate/core/oauth/consent.h"
#include "consentgate/core/oauth/introspection.h"
#include "consentgate/core/upstream/service.h"

namespace consentgate::app::admin {

// fail: throws std::runtime_error, as the next: there is none, with the near ones; or there are
//       several, with a line for each
core::Client named_client(Context& context, const std::string& word);        // id (or URL), name
core::Service named_service(Context& context, const std::string& word);      // id, URL, name
core::VirtualKey named_key(Context& context, const std::string& word);       // id, key:ID, name
core::IdentityProvider named_idp(Context& context, const std::string& word); // id, issuer, title
// By id, URL, path or name. in: active  whether those that are, or those that are not, come first
core::ResourceServer named_resource(Context& context, const std::string& word, bool active = true);

// The published spelling of the resource whose URL, path or name it is; the word itself when there
// is none, because sessions and rules outlive the guarding of their resource.
std::string resource_url(Context& context, const std::string& word);

// The same of a service: rules may name one that is not there yet.
std::string service_id(Context& context, const std::string& word);

// The ids of services that options name. fail: throws UsageError
std::vector<std::string> service_ids(Context& context, const std::vector<std::string>& words);

// An option that names nothing is wrong usage.
template <class Find> auto of_option(const Find& find) {
    try {
        return find();
    } catch (const std::runtime_error& error) {
        throw UsageError(error.what());
    }
}

} // namespace consentgate::app::admin
