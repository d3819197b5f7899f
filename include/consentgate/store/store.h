// The database, as one small store for each kind of thing. Each verb is a single unit of work; no
// transaction leaves this module.
//
// in, out: find may be absent; put inserts; verbs that return Applied are conditional writes whose
//          affected-row count is the answer.
// fail:    every verb throws StoreFailure when the database cannot do it. The database is then as
//          it was before the call (unless the failure says that its outcome is not known), and the
//          next call tries the database afresh.
// threads: one Store belongs to one worker process and is used by one thread. Open it after the
//          fork.
#pragma once

#include "consentgate/store/access_store.h"
#include "consentgate/store/account_store.h"
#include "consentgate/store/client_store.h"
#include "consentgate/store/code_store.h"
#include "consentgate/store/flow_store.h"
#include "consentgate/store/idp_store.h"
#include "consentgate/store/logout_store.h"
#include "consentgate/store/maintenance.h"
#include "consentgate/store/people_store.h"
#include "consentgate/store/provider_grant_store.h"
#include "consentgate/store/resource_server_store.h"
#include "consentgate/store/server_key_store.h"
#include "consentgate/store/service_store.h"
#include "consentgate/store/session_store.h"
#include "consentgate/store/signin_store.h"
#include "consentgate/store/signin_trial_store.h"
#include "consentgate/store/token_store.h"
#include "consentgate/store/upstream_state_store.h"
#include "consentgate/store/virtual_key_store.h"

#include <memory>

namespace consentgate::store {

struct StoreConfig;

class Store {
public:
    explicit Store(StoreConfig config); // open_store in open.h makes one
    ~Store();

private:
    std::unique_ptr<Database> db_; // the first member: all others refer to it

public:
    ClientStore clients;
    ResourceServerStore resource_servers;
    FlowStore flows;
    CodeStore codes;
    SessionStore sessions;
    TokenStore tokens;
    VirtualKeyStore virtual_keys;
    ServiceStore services;
    UpstreamStateStore upstream_states;
    AccountStore accounts;
    ServerKeyStore server_keys;
    PeopleStore people;
    SigninStore signins;
    SigninTrialStore trials;
    LogoutStore logouts;
    ProviderGrantStore grants;
    AccessStore access;
    IdpStore idps;
    Maintenance maintenance;
};

} // namespace consentgate::store
