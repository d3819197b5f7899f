// consentgate: the FastCGI program. Started by spawn-fcgi -n (or a systemd socket); forks its
// workers itself.
#include "consentgate/app/composition.h"
#include "consentgate/app/master.h"
#include "consentgate/app/version.h"
#include "consentgate/sys/metrics.h"
#include "consentgate/sys/rate_limiter.h"
#include "consentgate/usecase/maintenance.h"
#include "consentgate/usecase/upstream_revocation.h"
#include "consentgate/web/fastcgi.h"
#include "consentgate/web/gate.h"
#include "consentgate/web/router.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string_view>

namespace {

using namespace consentgate;

constexpr core::Span sweep_every{60}, revoke_every{5};

// What all workers of one configuration share; nothing in it holds a connection.
struct Prepared {
    app::Startup startup;
    web::Pages pages;
    std::shared_ptr<sys::Metrics> metrics; // absent: nobody counts
};

// Sweeps a bounded batch now and then, as long as there is something to sweep. Failures are for the
// next time: the database is someone else's problem while nobody asks anything.
class Sweeper {
public:
    Sweeper(const usecase::Dependencies& deps, core::Span unused_client_life)
        : deps_(deps),
          unused_client_life_(unused_client_life),
          next_(deps.clock.now() + sweep_every) {}

    void operator()() {
        const auto now = deps_.clock.now();
        if (now < next_) return;
        next_ = now + sweep_every;
        try {
            const auto swept = usecase::sweep(deps_.store, now, unused_client_life_);
            if (swept.total() > 0)
                deps_.log.event("swept", {{"rows", std::to_string(swept.total())}});
        } catch (const std::exception& error) {
            deps_.log.event("sweep_failed", {{"reason", error.what()}});
        }
    }

private:
    const usecase::Dependencies& deps_;
    core::Span unused_client_life_;
    core::Instant next_;
};

// Tells services what is over, a bounded turn now and then; one worker at a time, so that a service
// that does not answer holds no more than one.
class RevocationWorker {
public:
    RevocationWorker(usecase::Dependencies& deps, sys::FetchLimiter& turns)
        : deps_(deps), turns_(turns), next_(deps.clock.now() + revoke_every) {}

    void operator()() {
        const auto now = deps_.clock.now();
        if (now < next_) return;
        const auto turn = turns_.enter("tell", 1, std::chrono::steady_clock::now());
        if (turn.entry != sys::FetchLimiter::Entry::entered) return;
        try {
            usecase::revoke_ended_accounts(deps_, now);
        } catch (const std::exception& error) {
            deps_.log.event("revocation_worker_failed", {{"reason", error.what()}});
        }
        turns_.leave(turn);
        next_ = deps_.clock.now() + revoke_every;
    }

private:
    usecase::Dependencies& deps_;
    sys::FetchLimiter& turns_;
    core::Instant next_;
};

enum class Part { pages, gate }; // what this master's workers do

struct Shared { // by all workers there will ever be, across reloads
    sys::Log log;
    sys::RateLimiter rates;
    sys::FetchLimiter fetches, revocations;
    std::shared_ptr<store::WriterQueue> queue = std::make_shared<store::WriterQueue>();
};

std::string_view name_of(Part part) { return part == Part::gate ? "gate" : "pages"; }

// Lets the store count, too: it knows no monitor.
std::shared_ptr<sys::Metrics> start_metrics(app::Config& config) {
    if (config.metrics_file.empty()) return nullptr;
    auto metrics = std::make_shared<sys::Metrics>(config.metrics_file);
    config.store.on_retry = [metrics](store::RetryReason retry_reason) {
        switch (retry_reason) {
        case store::RetryReason::collision:
            return metrics->count(sys::Metric::store_retries, {{"reason", "collision"}});
        case store::RetryReason::session_lost:
            return metrics->count(sys::Metric::store_retries, {{"reason", "session_lost"}});
        case store::RetryReason::unknown_outcome:
            return metrics->count(sys::Metric::store_retries, {{"reason", "unknown_outcome"}});
        case store::RetryReason::failed: return metrics->count(sys::Metric::store_errors, {});
        }
    };
    return metrics;
}

void count_workers(const app::WorkerStats& worker_stats, Part part, sys::Metrics* metrics) {
    if (!metrics) return;
    metrics->set(sys::Metric::workers, {{"role", name_of(part)}}, worker_stats.running);
    if (worker_stats.died) metrics->count(sys::Metric::worker_deaths, {{"role", name_of(part)}});
}

void serve_part(
    Part part, int socket, const Prepared& prepared, usecase::Dependencies& deps, Shared& shared) {
    if (part == Part::gate) {
        web::Gate gate{deps, core::ResourceMap(prepared.startup.config.policy.resources)};
        web::serve(
            socket, deps.clock,
            {[&](web::Request& request) { return web::decide(request, gate); }, {}, {}});
        return;
    }
    auto context =
        web::make_web_context(deps, prepared.pages, shared.rates, prepared.startup.config.limits);
    Sweeper sweeper(deps, prepared.startup.config.unused_client_life);
    RevocationWorker revocation_worker(deps, shared.revocations);
    web::serve(
        socket, deps.clock,
        {[&](web::Request& request) { return web::dispatch(request, context); },
         [&] { sweeper(), revocation_worker(); }, prepared.startup.config.body_time});
}

int work(Part part, int socket, const Prepared& prepared, Shared& shared) {
    try {
        app::Runtime runtime(prepared.startup, shared.log);
        sys::GuardedFetcher fetcher(shared.fetches, shared.rates, prepared.startup.config.fetch);
        runtime.deps().documents = &fetcher;
        sys::PocoHttpClient caller(prepared.startup.config.calls);
        runtime.deps().web = &caller;
        runtime.deps().metrics = prepared.metrics.get();
        const auto health = usecase::check_health(runtime.deps().store);
        if (health.store_answers &&
            !health.ready()) { // a database that is away comes back; a wrong schema does not
            shared.log.event("wrong_schema", {{"version", std::to_string(health.schema_version)}});
            return EXIT_FAILURE;
        }
        serve_part(part, socket, prepared, runtime.deps(), shared);
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        shared.log.event("worker_failed", {{"reason", error.what()}});
        return EXIT_FAILURE;
    }
}

int serve(Part part, int socket, const std::string& config_path) {
    Shared shared;
    // How long libfcgi waits for the web server to close first, in ms; its own default of two
    // seconds would hold a worker. Nothing is left in the connection that closing it at once could
    // turn into a reset: a page's body is read to its end, and who asks a gate sends none.
    setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 0);
    setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "200", 0);
    // Apache reaches the gate over TCP only; no other machine is to ask it anything.
    if (part == Part::gate) setenv("FCGI_WEB_SERVER_ADDRS", "127.0.0.1", 0);
    const auto prepare = [&]() -> app::Plan {
        auto startup = app::load_startup(config_path);
        shared.log.open(startup.config.log);
        const auto metrics = start_metrics(startup.config);
        app::check_database(startup, sys::SystemClock().now());
        startup.config.store.queue = shared.queue;
        const int workers =
            part == Part::gate ? startup.config.gate_workers : startup.config.workers;
        // Two resources that cannot be told apart are found out here, and not by each worker.
        if (part == Part::gate) core::ResourceMap{startup.config.policy.resources};
        web::Pages pages(startup.config.pages, startup.config.brand);
        const auto prepared =
            std::make_shared<Prepared>(Prepared{std::move(startup), std::move(pages), metrics});
        return {
            workers,
            [part, socket, prepared, &shared] { return work(part, socket, *prepared, shared); },
            [part, metrics](const app::WorkerStats& worker_stats) {
                count_workers(worker_stats, part, metrics.get());
            }};
    };
    return app::run_master(prepare, shared.log);
}

} // namespace

int main(int argc, char** argv) {
    umask(0077); // what is made here, the database's companions among it, is nobody else's
    const int socket = app::inherited_socket();
    const auto said = [&](const char* word) {
        return std::any_of(argv + 1, argv + argc, [&](const char* argument) {
            return std::string_view(argument) == word;
        });
    };
    if (said("--version")) {
        std::cout << "consentgate " << app::version() << "\n";
        return EXIT_SUCCESS;
    }
    if (socket < 0 || said("--help")) {
        std::cerr
            << "usage: spawn-fcgi -n -s SOCKET -- consentgate [--gate] [--config FILE]\n"
               "consentgate is a FastCGI program: it needs a listening socket as descriptor 0, which spawn-fcgi or\n"
               "systemd gives it. With --gate it is the gate, a FastCGI AUTHORIZER on a socket of its own. To look\n"
               "after it, see consentgate-admin --help.\n";
        return socket < 0 ? 2 : EXIT_SUCCESS;
    }
    try {
        return serve(
            said("--gate") ? Part::gate : Part::pages, socket, app::config_path(argc, argv));
    } catch (const std::exception& error) {
        std::cerr << "consentgate cannot start:\n" << error.what() << "\n";
        return EXIT_FAILURE;
    }
}
