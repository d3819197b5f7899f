// consentgate: the FastCGI program. Started by spawn-fcgi -n (or a systemd socket); forks its
// workers itself.
#include "consentgate/app/composition.h"
#include "consentgate/app/master.h"
#include "consentgate/app/version.h"
#include "consentgate/sys/call_log_socket.h"
#include "consentgate/sys/metrics.h"
#include "consentgate/sys/rate_limiter.h"
#include "consentgate/sys/recent_calls.h"
#include "consentgate/sys/service_rests.h"
#include "consentgate/usecase/call_reports.h"
#include "consentgate/usecase/maintenance.h"
#include "consentgate/usecase/old_seals.h"
#include "consentgate/usecase/people.h"
#include "consentgate/usecase/registration_renewal.h"
#include "consentgate/usecase/upstream_refresh.h"
#include "consentgate/usecase/upstream_revocation.h"
#include "consentgate/web/fastcgi.h"
#include "consentgate/web/gate.h"
#include "consentgate/web/router.h"

#include "schema_watch.h"
#include "server_line.h"
#include "use_writer.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string_view>

namespace {

using namespace consentgate;

constexpr core::Span first_sweep_after{60}, work_every{5};

enum class Role { pages, gate }; // of this process and its workers

std::string_view name_of(Role role) { return role == Role::gate ? "gate" : "pages"; }

// Shared by all workers of one configuration; nothing in it holds a connection.
struct Loaded {
    app::Startup startup;
    web::Pages pages;
    std::shared_ptr<sys::Metrics> metrics; // null: nothing is counted
    std::shared_ptr<sys::Places> places;
    std::shared_ptr<sys::ServiceRests> rests;
    std::shared_ptr<sys::CallLogSocket> reports; // null: the web server reports nothing
    std::shared_ptr<sys::RecentCalls> calls;     // null: there is no file for them
};

// Shared by all workers of this process, across reloads.
struct Shared {
    sys::Log log;
    sys::RateLimiter rates;
    sys::FetchLimiter fetches, revocations, refreshes, renewals;
    sys::WriteTrials write_trials;
    std::shared_ptr<sys::Places> places;      // made with the first configuration
    std::shared_ptr<sys::ServiceRests> rests; // as well
    std::shared_ptr<sys::CallLogSocket> reports;
    std::shared_ptr<store::WriterQueue> queue = std::make_shared<store::WriterQueue>();
};

// A time that is further ahead than it was set has been left behind by a clock that was set back.
bool is_ahead(core::Instant next, core::Span every, core::Instant now) {
    return now < next && next - now <= every;
}

// Deletes a bounded batch of expired rows every minute, and more often while there are more. A
// failure is logged and left for the next time: without a request the database need not answer.
class Sweeper {
public:
    Sweeper(usecase::Dependencies& deps, const usecase::ClientLives& lives)
        : deps_(deps), lives_(lives), next_(deps.clock.now() + first_sweep_after) {}

    void operator()() {
        const auto now = deps_.clock.now();
        if (is_ahead(next_, first_sweep_after, now)) return;
        next_ = now + first_sweep_after;
        try {
            const auto swept = usecase::sweep(deps_, now, lives_);
            next_ = now + usecase::next_sweep_after(swept);
            if (const auto people = usecase::sweep_people(deps_, now))
                deps_.log.event("people_swept", {{"people", std::to_string(people)}});
            if (swept.total() > 0)
                deps_.log.event("swept", {{"rows", std::to_string(swept.total())}});
            const auto sealed = usecase::seal_old_accounts_anew(deps_, now);
            if (sealed > 0)
                deps_.log.event("accounts_sealed_anew", {{"rows", std::to_string(sealed)}});
        } catch (const std::exception& error) {
            deps_.log.event("sweep_failed", {{"reason", error.what()}});
        }
    }

private:
    usecase::Dependencies& deps_;
    usecase::ClientLives lives_;
    core::Instant next_;
};

// Work at services that idle workers do, a bounded part of it every few seconds. One worker of the
// program does each kind at a time, so that a service that does not answer holds no more than one.
class ServiceWork {
public:
    using Turn = std::size_t (*)(usecase::Dependencies&, core::Instant);
    using Report = void (*)(const sys::Log&, const char* reason);

    ServiceWork(
        usecase::Dependencies& deps, sys::FetchLimiter& turns, Turn turn, Report report_failure)
        : deps_(deps),
          turns_(turns),
          turn_(turn),
          report_failure_(report_failure),
          next_(deps.clock.now() + work_every) {}

    void operator()() {
        const auto now = deps_.clock.now();
        if (is_ahead(next_, work_every, now)) return;
        const auto turn = turns_.enter("work", 1, std::chrono::steady_clock::now());
        if (turn.entry != sys::FetchLimiter::Entry::entered) return;
        try {
            turn_(deps_, now);
        } catch (const std::exception& error) {
            report_failure_(deps_.log, error.what());
        }
        turns_.leave(turn);
        next_ = deps_.clock.now() + work_every;
    }

private:
    usecase::Dependencies& deps_;
    sys::FetchLimiter& turns_;
    Turn turn_;
    Report report_failure_;
    core::Instant next_;
};

// The store counts through a callback, because it does not know sys::Metrics.
std::shared_ptr<sys::Metrics> start_metrics(app::Config& config) {
    if (config.metrics_file.empty()) return nullptr;
    auto metrics = std::make_shared<sys::Metrics>(config.metrics_file);
    config.store.on_retry = [metrics](store::RetryReason reason) {
        switch (reason) {
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

// Without it calls pass all the same: then a client that comes back early shows what was refused.
std::shared_ptr<sys::CallLogSocket> open_call_log(
    Role role, const app::Config& config, const sys::Log& log,
    std::shared_ptr<sys::CallLogSocket> before) {
    const auto& path = config.call_log_socket;
    const bool by_web_server = config.gate_workers == 1; // which starts many masters (mod_fcgid)
    if (role != Role::gate || path.empty() || by_web_server) return nullptr;
    if (before && before->path() == path) return before;
    try {
        return std::make_shared<sys::CallLogSocket>(path);
    } catch (const std::exception& error) {
        log.event("call_log_failed", {{"reason", error.what()}});
        return nullptr;
    }
}

// A single worker is one of many that the web server starts, each with a master of its own
// (mod_fcgid). They share a file beside the database, or, where that is a server, beside the key
// file.
std::string file_beside(const app::Config& config, Role role, const char* what) {
    const auto beside = config.store.path.empty() ? config.key_file : config.store.path;
    return beside + (role == Role::gate ? "-gate-" : "-") + what;
}

// The gate and the pages have it together.
std::shared_ptr<sys::RecentCalls> open_recent_calls(
    const app::Config& config, const sys::Log& log) {
    try {
        return std::make_shared<sys::RecentCalls>(app::recent_calls_file(config));
    } catch (const std::exception& error) {
        log.event("recent_calls_failed", {{"reason", error.what()}});
        return nullptr;
    }
}

std::shared_ptr<sys::Places> make_places(
    Role role, int workers, const app::Config& config, std::shared_ptr<sys::Places> before) {
    const bool in_file = workers == 1;
    if (!before || before->in_file() != in_file)
        before = in_file ? std::make_shared<sys::Places>(file_beside(config, role, "places"))
                         : std::make_shared<sys::Places>();
    if (!in_file) before->set_workers(static_cast<std::size_t>(workers));
    return before;
}

std::shared_ptr<sys::ServiceRests> make_rests(
    Role role, int workers, const app::Config& config, std::shared_ptr<sys::ServiceRests> before) {
    const bool in_file = workers == 1;
    if (before && before->in_file() == in_file) return before;
    return in_file ? std::make_shared<sys::ServiceRests>(file_beside(config, role, "rests"))
                   : std::make_shared<sys::ServiceRests>();
}

void count_workers(const app::WorkerStats& stats, Role role, sys::Metrics* metrics) {
    if (!metrics) return;
    metrics->set(sys::Metric::workers, {{"role", name_of(role)}}, stats.running);
    if (stats.died) metrics->count(sys::Metric::worker_deaths, {{"role", name_of(role)}});
}

// As libfcgi calls them.
std::string web_servers() {
    const auto* said = std::getenv("FCGI_WEB_SERVER_ADDRS");
    return said == nullptr ? "" : said;
}

// A bounded number, because requests may wait; the next look finds the others.
void read_reports(const sys::CallLogSocket& socket, usecase::Dependencies& deps) {
    constexpr int at_once = 16;
    try {
        for (int read = 0; read < at_once; ++read) {
            const auto line = socket.receive();
            if (!line) return;
            usecase::note_call_report(deps, *line, deps.clock.now());
        }
    } catch (const std::exception& error) {
        deps.log.event("call_report_failed", {{"reason", error.what()}});
    }
}

void serve_role(
    Role role, int socket, const Loaded& loaded, usecase::Dependencies& deps, Shared& shared) {
    app::UseWriter use_writer(deps, shared.revocations);
    app::SchemaWatch schema_watch(deps);
    if (role == Role::gate) {
        web::Gate gate{deps, core::ResourceMap(loaded.startup.config.policy.resources)};
        web::serve(
            socket, deps.clock,
            {.handle = [&](web::Request& request) { return web::decide(request, gate); },
             .between = [&] { use_writer(), schema_watch(); },
             .body_time = loaded.startup.config.body_time,
             .places = loaded.places.get(),
             .reports = loaded.reports ? loaded.reports->descriptor() : -1,
             .on_report = [&] { read_reports(*loaded.reports, deps); },
             .neighbours = web_servers()});
        return use_writer.finish();
    }
    auto context =
        web::make_web_context(deps, loaded.pages, shared.rates, loaded.startup.config.limits);
    context.write_trials = &shared.write_trials;
    const auto& groups = loaded.startup.config.remote_groups;
    Sweeper sweeper(deps, loaded.startup.config.client_lives);
    ServiceWork revocations(
        deps, shared.revocations, usecase::revoke_ended_accounts,
        [](const sys::Log& log, const char* reason) {
            log.event("revocation_worker_failed", {{"reason", reason}});
        });
    ServiceWork refreshes(
        deps, shared.refreshes, usecase::refresh_ahead_of_need,
        [](const sys::Log& log, const char* reason) {
            log.event("refresh_worker_failed", {{"reason", reason}});
        });
    ServiceWork renewals(
        deps, shared.renewals, usecase::renew_registrations,
        [](const sys::Log& log, const char* reason) {
            log.event("renewal_worker_failed", {{"reason", reason}});
        });
    web::serve(
        socket, deps.clock,
        {.handle = [&](web::Request& request) { return web::dispatch(request, context); },
         .between =
             [&] {
                 sweeper(), refreshes(), renewals(), revocations(), use_writer(), schema_watch();
             },
         .body_time = loaded.startup.config.body_time,
         .places = loaded.places.get(),
         .remote_groups = groups ? groups->variable : std::string(),
         .on_remote_groups = usecase::keeper_of_remote_groups(deps, groups),
         .neighbours = web_servers()});
    use_writer.finish();
}

int run_worker(Role role, int socket, const Loaded& loaded, Shared& shared) {
    try {
        app::Runtime runtime(loaded.startup, shared.log);
        const auto& config = loaded.startup.config;
        sys::PocoHttpClient document_http(config.document_http);
        auto& places = *loaded.places;
        places.join();
        sys::PlacedHttpClient placed_document_http(document_http, places);
        sys::LimitedFetcher fetcher(
            shared.fetches, shared.rates, places, placed_document_http, config.fetch);
        runtime.deps().documents = &fetcher;
        sys::PocoHttpClient service_http(config.service_http);
        sys::PlacedHttpClient placed_service_http(service_http, places);
        runtime.deps().web = &placed_service_http;
        runtime.deps().metrics = loaded.metrics.get();
        runtime.deps().places = &places;
        runtime.deps().rests = loaded.rests.get();
        runtime.deps().calls = loaded.calls.get();
        usecase::SessionUses uses;
        runtime.deps().uses = &uses;
        const auto health = usecase::check_health(runtime.deps());
        // A database that is unreachable comes back; a wrong schema does not.
        if (health.store_answers && !health.ready()) {
            shared.log.event("wrong_schema", {{"version", std::to_string(health.schema.version)}});
            return EXIT_FAILURE;
        }
        serve_role(role, socket, loaded, runtime.deps(), shared);
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        shared.log.event("worker_failed", {{"reason", error.what()}});
        return EXIT_FAILURE;
    }
}

int serve(Role role, int socket, const std::string& config_path) {
    Shared shared;
    // How long libfcgi waits for the web server to close first, in ms; its own default of two
    // seconds would hold a worker. Closing at once resets nothing, because no unread byte is left:
    // a page's body is read to its end, and a request to the gate has none.
    setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 0);
    setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "200", 0);
    // Apache reaches the gate over TCP only; other machines may not connect to it.
    if (role == Role::gate) setenv("FCGI_WEB_SERVER_ADDRS", "127.0.0.1", 0);
    const auto load = [&]() -> app::WorkerPool {
        auto startup = app::load_startup(config_path);
        shared.log.open(startup.config.log);
        const auto metrics = start_metrics(startup.config);
        app::check_database(startup, sys::SystemClock().now());
        shared.log.event("admission", {{"who", startup.admission.sentence}});
        startup.config.store.queue = shared.queue;
        const int workers =
            role == Role::gate ? startup.config.gate_workers : startup.config.workers;
        // Throws when two resources have one path: here once, and not in each worker.
        if (role == Role::gate) core::ResourceMap{startup.config.policy.resources};
        web::Pages pages(startup.config.pages, startup.config.brand);
        shared.places = make_places(role, workers, startup.config, shared.places);
        shared.places->count_in(metrics.get(), name_of(role));
        shared.rests = make_rests(role, workers, startup.config, shared.rests);
        shared.rests->show_in(metrics.get(), name_of(role));
        shared.reports = open_call_log(role, startup.config, shared.log, shared.reports);
        auto calls = open_recent_calls(startup.config, shared.log);
        const auto loaded = std::make_shared<Loaded>(Loaded{
            .startup = std::move(startup),
            .pages = std::move(pages),
            .metrics = metrics,
            .places = shared.places,
            .rests = shared.rests,
            .reports = shared.reports,
            .calls = std::move(calls)});
        return {
            .count = workers,
            .run = [role, socket, loaded,
                    &shared] { return run_worker(role, socket, *loaded, shared); },
            .on_change =
                [role, metrics, places = shared.places](const app::WorkerStats& stats) {
                    count_workers(stats, role, metrics.get());
                    if (stats.died) places->release_dead();
                }};
    };
    return app::run_master(load, shared.log);
}

} // namespace

int main(int argc, char** argv) {
    umask(0077); // files made here, those beside the database too, are for this user alone
    const int socket = app::inherited_socket();
    app::ServerLine line;
    try {
        line = app::read_server_line({argv + 1, argv + argc});
    } catch (const std::invalid_argument& error) {
        std::cerr << "consentgate: " << error.what() << "\n";
        return 2;
    }
    if (line.version) {
        std::cout << "consentgate " << app::version() << "\n";
        return EXIT_SUCCESS;
    }
    if (line.help || socket < 0) {
        (line.help ? std::cout : std::cerr) << app::server_usage();
        return line.help ? EXIT_SUCCESS : 2;
    }
    try {
        return serve(line.gate ? Role::gate : Role::pages, socket, line.config_path);
    } catch (const std::exception& error) {
        std::cerr << "consentgate cannot start:\n" << error.what() << "\n";
        return EXIT_FAILURE;
    }
}
