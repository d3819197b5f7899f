// Writes down when and from where sessions were used. Private to this module.
#pragma once

#include "consentgate/sys/fetch_limiter.h"
#include "consentgate/usecase/dependencies.h"

namespace consentgate::app {

// One belongs to one worker, which calls it between its requests. It writes when no request came
// for two seconds, twice a minute at most; a worker that always has requests writes every ten
// minutes. One worker of a program does so at a time, so that a database that does not take writes
// holds no more than one.
class UseWriter {
public:
    UseWriter(usecase::Dependencies& deps, sys::FetchLimiter& turns);

    void operator()();
    // Writes the rest, when the worker ends.
    void finish();

private:
    void write(int batches);

    usecase::Dependencies& deps_;
    sys::FetchLimiter& turns_;
    core::Instant next_, latest_; // when it writes if it is idle, and if it is not
};

} // namespace consentgate::app
