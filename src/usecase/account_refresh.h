// Refreshing one linked account at its service, under a lease. Private to this module.
#pragma once

#include "consentgate/core/upstream/account_state.h"
#include "consentgate/usecase/dependencies.h"

#include <string>

namespace consentgate::usecase {

// The time as a request goes on, which may wait for others longer than a pause lasts.
class RunningTime {
public:
    RunningTime(const sys::Clock& clock, core::Instant now)
        : clock_(clock), begun_(clock.now()), now_(now) {}
    core::Instant now() const { return now_ + (clock_.now() - begun_); }

private:
    const sys::Clock& clock_;
    core::Instant begun_, now_;
};

struct AccountRefresh {
    enum class End {
        refreshed,
        failed,    // and noted in `account`
        taken,     // by another worker, or the account was changed: look again
        not_begun, // `error` says why; nothing was asked or written
    };
    End end = End::taken;
    core::LinkedAccount account; // as it is now
    core::Secret access_token;   // refreshed: in the clear
    core::Error error;
};

// in: account  whose refresh is due
//     by       `call` or `idle`, for the log: who wants it
AccountRefresh refresh_account(
    Dependencies& deps, const core::LinkedAccount& account, const core::Service& service,
    const RunningTime& running, std::string_view by);

} // namespace consentgate::usecase
