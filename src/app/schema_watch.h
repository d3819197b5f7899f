// Ends a worker whose database was changed so that this program would do harm. Private to this
// module.
#pragma once

#include "consentgate/usecase/dependencies.h"

namespace consentgate::app {

// One belongs to one worker, which calls it between its requests. It looks once a minute: who
// migrates another machine's database to a schema that stops this program, and has not stopped it,
// is met by that.
// spec: docs/requirements.md O17
class SchemaWatch {
public:
    explicit SchemaWatch(usecase::Dependencies& deps);

    // Sends the worker SIGTERM, after which it serves no more; the next one does not start.
    void operator()();

private:
    usecase::Dependencies& deps_;
    core::Instant next_;
};

} // namespace consentgate::app
