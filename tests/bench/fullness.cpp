#include "bench.h"

#include "consentgate/core/base/form.h"
#include "consentgate/core/oauth/introspection.h"
#include "consentgate/sys/clock.h"
#include "consentgate/sys/random.h"
#include "measure.h"
#include "stock.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace consentgate::bench {
namespace {

constexpr std::size_t few_sessions = 1000;
constexpr std::size_t many_sessions = 1'000'000;
constexpr std::size_t at_once =
    50'000; // rows of one INSERT: a cluster sends them to its nodes in one piece
// A lookup in a file takes so few microseconds that the processor's waits for memory it has not
// seen lately show: it misses this even when SQLite's own cache holds the whole file.
constexpr double max_times = 1.3;

// The first turns do not count.
constexpr std::size_t warm_up = 3;
constexpr std::size_t turns = 23;
constexpr std::size_t writes_of_turn = 40;
constexpr std::size_t reads_of_turn =
    400; // more, or one moment's disturbance from outside would be all there is

constexpr std::int64_t lifetime = 86400;
constexpr std::size_t each_second = 500; // so many sessions were made

// Sessions with a code each, made one after another; every key is as random as a hash.
class Filling {
public:
    Filling(const store::StoreConfig& config, core::Instant now)
        : database_(config),
          words_(words_of(config.engine)),
          first_second_(core::epoch(now) - 3600) {
        put_pattern(config, now);
        if (config.engine != store::Engine::sqlite) return;
        for (const char* setting :
             {"journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"})
            database_.run(std::string("PRAGMA ") + setting);
    }

    void put(std::size_t from, std::size_t to) {
        const auto made = std::to_string(first_second_) + " + (n - n % " +
                          std::to_string(each_second) + ") / " + std::to_string(each_second);
        database_.run(
            "INSERT INTO session (id, flow_id, token_hash, browser_hash, client_id, "
            "identity_kind, identity_value, scope, resource, created_at, "
            "expires_at) SELECT " +
            id("session") + ", " + id("flow") + ", " + words_.hash("concat('token', n)") +
            ", browser_hash, client_id, "
            "identity_kind, identity_value, scope, resource, " +
            made + ", " + made + " + " + std::to_string(lifetime) + " FROM flow, " +
            words_.numbers(from, to - 1) + " WHERE id = 'pattern'");
        database_.run(
            "INSERT INTO code (code_hash, session_id, client_id, redirect_uri, code_challenge, "
            "key_id, expires_at) SELECT " +
            words_.hash("concat('code', s.id)") +
            ", s.id, f.client_id, f.redirect_uri, f.code_challenge, 'bench-key', s.expires_at "
            "FROM session s, flow f WHERE f.id = 'pattern' AND s.expires_at >= " +
            end_of_life(from) + " AND s.expires_at < " + end_of_life(to));
    }

    void finish() { database_.run("DELETE FROM flow WHERE id = 'pattern'"); }

private:
    static void put_pattern(const store::StoreConfig& config, core::Instant now) {
        const auto store = store::open_store(config);
        core::Client client;
        client.id = core::ClientId("bench-client");
        client.name = "bench";
        client.redirect_uris = {"http://127.0.0.1:53111/callback"};
        client.metadata = "{}";
        client.created_at = now;
        store->clients.put(client);
        store->flows.put(make_flow(core::FlowId("pattern"), now));
    }

    std::string id(const char* of) const {
        return "substr(" + words_.hash(std::string("concat('") + of + "', n)") + ", 1, 22)";
    }
    std::string end_of_life(std::size_t number) const {
        return std::to_string(
            first_second_ + lifetime +
            static_cast<std::int64_t>((number + each_second - 1) / each_second));
    }

    Database database_;
    const Words& words_;
    std::int64_t first_second_;
};

void fill(const std::string& address, std::size_t sessions) {
    const auto config = config_of(address);
    const auto now = sys::SystemClock().now();
    store::migrate(config, now);
    {
        Filling filling(config, now);
        for (std::size_t from = 0; from < sessions; from += at_once)
            filling.put(from, std::min(sessions, from + at_once));
        filling.finish();
    }
    put_flows(config, turns * writes_of_turn, now);
}

// A database, and one function for each measured operation.
class Subject {
public:
    Subject(const std::string& address, std::size_t sessions)
        : config_(config_of(address)),
          finalizations_(use_flows(turns * writes_of_turn, sys::SystemClock().now())),
          tokens_(some("token_hash", "session", turns * reads_of_turn)),
          codes_(some("code_hash", "code", turns * writes_of_turn)) {
        if (Database(config_).number(
                "SELECT count(*) FROM session s JOIN code k ON k.session_id = s.id") !=
            static_cast<std::int64_t>(sessions)) {
            throw std::runtime_error(
                store::address_of(config_) + " does not hold what it was filled with");
        }
        config_.max_cached = 0; // it is the database that is measured here
        store_ = store::open_store(config_);
        core::Form form = *core::Form::parse("client_id=bench-server&client_secret=" + secret_);
        credentials_ = *core::read_client_credentials(
            {.authorization = std::nullopt,
             .client_id = form.parameter("client_id"),
             .client_secret = form.parameter("client_secret"),
             .client_assertion = {},
             .client_assertion_type = {}});
        policy_.identities = core::IdentityKinds::any(); // its sessions are of typed names
        policy_.issuer = "http://127.0.0.1";
        if (!store_->resource_servers.find(server_))
            store_->resource_servers.put(
                {server_, policy_.issuer, core::sha256(secret_), true, sys::SystemClock().now()});
    }

    void finalize(std::size_t at) {
        if (store_->flows.finalize(finalizations_.at(at)) != store::Applied::yes)
            throw std::runtime_error("a flow was not there");
    }
    void redeem(std::size_t at) {
        const auto view = store_->codes.find(core::Digest{codes_.at(at)});
        if (!view || store_->codes.redeem(
                         view->code.hash, random_.id(16), std::nullopt,
                         finalizations_.front().now) != store::Applied::yes) {
            throw std::runtime_error("a code was not there");
        }
    }
    void look_up(std::size_t at) {
        if (!store_->sessions.find(core::Digest{tokens_[at % tokens_.size()]}))
            throw std::runtime_error("a session was not there");
    }

    // The work for an introspection without reading the request: the resource server, the session,
    // the answer.
    void introspect(std::size_t at) {
        const core::Digest token{tokens_[at % tokens_.size()]};
        const auto [server, view] = store_->resource_servers.find_with_session(server_, token);
        if (!core::check_resource_server(credentials_, server.get()) || !view)
            throw std::runtime_error("a session was not there");
        core::introspection_response(
            &*view, token, view->session.resource, policy_, view->session.created_at);
    }

private:
    std::vector<std::string> some(
        const std::string& key, const std::string& table, std::size_t limit) const {
        return Database(config_).texts(
            "SELECT " + key + " FROM " + table + " ORDER BY " + words_of(config_.engine).shuffled +
            " LIMIT " + std::to_string(limit));
    }

    const core::ResourceServerId server_{"bench-server"};
    const std::string secret_ = std::string(43, 's');
    core::ClientCredentials credentials_;
    core::Policy policy_;
    store::StoreConfig config_;
    std::vector<core::Finalization> finalizations_;
    std::vector<std::string> tokens_, codes_;
    sys::OsRandom random_;
    std::unique_ptr<store::Store> store_;
};

struct Operation {
    const char* name;
    void (Subject::*once)(std::size_t at);
    std::size_t of_turn;
};

struct Side {
    std::vector<double> waits, turn_medians;
};

void take_turn(Subject& subject, const Operation& operation, std::size_t turn, Side& side) {
    std::vector<double> waits;
    for (auto at = turn * operation.of_turn; at < (turn + 1) * operation.of_turn; ++at) {
        const auto begin = now_ns();
        (subject.*operation.once)(at);
        waits.push_back(static_cast<double>(now_ns() - begin) / 1e6);
    }
    if (turn < warm_up) return;
    side.turn_medians.push_back(median(waits));
    side.waits.insert(side.waits.end(), waits.begin(), waits.end());
}

void compare(Subject& few, Subject& many, const Operation& operation) {
    Side little;
    Side much;
    for (std::size_t turn = 0; turn < turns; ++turn) {
        take_turn(few, operation, turn, little);
        take_turn(many, operation, turn, much);
    }
    const auto little_waits = waits_of(little.waits);
    const auto much_waits = waits_of(much.waits);
    const double ratio = median_ratio(much.turn_medians, little.turn_medians);
    std::printf(
        "  %-14s %10.0f %10.0f %12.0f %10.0f %7.2f %s\n", operation.name, little_waits.p50 * 1000,
        little_waits.p99 * 1000, much_waits.p50 * 1000, much_waits.p99 * 1000, ratio,
        ratio <= max_times ? "ok" : "MISSED");
    std::fflush(stdout);
}

} // namespace

int fill(const std::string& few, const std::string& many) {
    fill(few, few_sessions);
    fill(many, many_sessions);
    return EXIT_SUCCESS;
}

int measure_fullness(const std::string& few, const std::string& many) {
    Subject little(few, few_sessions);
    Subject much(many, many_sessions);
    std::printf(
        "(b) what one process waits for our store with %zu sessions stored and with %zu, by "
        "turns, load %s\n",
        few_sessions, many_sessions, load_average().c_str());
    std::printf(
        "  %-14s %10s %10s %12s %10s %7s <= %.1f\n", "microseconds", "few: p50", "p99", "many: p50",
        "p99", "ratio", max_times);
    for (const auto& operation :
         {Operation{"finalize", &Subject::finalize, writes_of_turn},
          Operation{"token", &Subject::redeem, writes_of_turn},
          Operation{"session lookup", &Subject::look_up, reads_of_turn},
          Operation{"introspection", &Subject::introspect, reads_of_turn}}) {
        compare(little, much, operation);
    }
    return EXIT_SUCCESS;
}

} // namespace consentgate::bench
