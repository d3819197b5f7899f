#include "bench.h"
#include "database.h"
#include "load.h"
#include "measure.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/base/text.h"
#include "consentgate/sys/clock.h"
#include "consentgate/sys/key_file.h"

#include <array>
#include <cstdio>
#include <stdexcept>

namespace consentgate::bench {
namespace {

const int rounds = rounds_of(5);
constexpr std::chrono::seconds round_length{2};
constexpr double least_of_nothing =
    0.5; // what introspection and exchange must make of the requests to a program that does nothing

// One request after another on one connection, each the same.
class Asking : public Traveller {
public:
    Asking(int port, std::string request, std::string mark)
        : http_(port), request_(std::move(request)), mark_(std::move(mark)) {}
    void prepare() override {}
    void travel() override {
        const auto reply = http_.exchange(request_);
        if (reply.status != 200 || reply.body.find(mark_) == std::string_view::npos)
            throw std::runtime_error("a request was answered with " + std::string(reply.body));
    }

private:
    HttpClient http_;
    std::string request_, mark_;
};

// Redeems a code that was got before, and not measured.
class Redeeming final : public Traveller {
public:
    Redeeming(int port, const std::string& client) : sign_in_(port, client) {}
    void prepare() override {
        sign_in_.prepare();
        form_ = sign_in_.finish();
    }
    void travel() override { sign_in_.redeem(form_); }

private:
    SignIn sign_in_;
    std::string form_;
};

// One chain of refresh tokens, each for the next.
class RefreshUse final : public Traveller {
public:
    RefreshUse(int port, const std::string& client) : client_(client), sign_in_(port, client) {
        sign_in_.prepare();
        keep(sign_in_.redeem(sign_in_.finish()));
    }
    void prepare() override {}
    void travel() override { keep(sign_in_.redeem(form_)); }

private:
    void keep(const std::string& document) {
        form_ = "grant_type=refresh_token&client_id=" + client_ +
                "&refresh_token=" + between(document, "\"refresh_token\":\"", "\"");
    }

    std::string client_;
    SignIn sign_in_;
    std::string form_;
};

// As the callback leaves it: an account at the service for this session alone, good for a day.
void connect_account(
    const KeyedDatabase& database, const std::string& session_token, const std::string& service) {
    const auto store = store::open_store(config_of(database.database));
    const auto keyring = sys::read_key_file(database.key_file);
    const auto session = store->sessions.find(core::sha256(session_token));
    if (!session) throw std::runtime_error("the session is not in " + database.database);
    sys::OsRandom random;
    const auto now = sys::SystemClock().now();
    core::LinkedAccount token{
        .id = random.id(16),
        .owner = session->session.identity.owner(session->session.id),
        .service = core::ServiceId(service),
        .access_token = {},
        .refresh_token = {},
        .key_id = keyring.newest(),
        .scope = "read",
        .expires_at = now + core::Span(86400),
        .updated_at = now};
    const auto seal = [&](const std::string& place) {
        return core::seal(
            keyring, keyring.newest(), random.bytes(core::nonce_bytes), place,
            core::Secret(random.id(32)));
    };
    token.access_token = seal(token.access_token_aad());
    token.refresh_token = seal(token.refresh_token_aad());
    if (store->accounts.connect_in_session(session->session.id, token, now) != store::Applied::yes)
        throw std::runtime_error("the account was not connected");
}

struct Endpoint {
    const char* name;
    MakeTraveller make;
    bool rated;   // the time between requests is the endpoint's own, so that a rate says something
    double least; // of the rate of nothing; 0: not asked for
};

// One entry for each round; ratios are to the program that does nothing, in the same round: the
// machine is not equally fast in all.
struct Figures {
    std::vector<double> rates, waits, rate_ratios, wait_ratios;
};

void measure(const Endpoint& endpoint, Figures& figures, const Figures& nothing) {
    figures.waits.push_back(
        waits_of(run_load({1, SIZE_MAX, round_length}, endpoint.make).waits).p50);
    figures.wait_ratios.push_back(nothing.waits.back() / figures.waits.back());
    if (!endpoint.rated) return;
    figures.rates.push_back(run_load({4, SIZE_MAX, round_length}, endpoint.make).per_second());
    figures.rate_ratios.push_back(figures.rates.back() / nothing.rates.back());
}

void print(const Endpoint& endpoint, const Figures& figures) {
    std::printf(
        "  %-22s %10.3f %10.2f", endpoint.name, median(figures.waits), median(figures.wait_ratios));
    if (endpoint.rated)
        std::printf(" %10.0f %10.2f", median(figures.rates), median(figures.rate_ratios));
    if (endpoint.least > 0)
        std::printf(
            "  >= %.1f: %s", endpoint.least,
            median(figures.rate_ratios) >= endpoint.least ? "ok" : "MISSED");
    std::printf("\n");
}

} // namespace

int measure_endpoints(
    int port, const std::string& id, const std::string& secret, const std::string& service,
    const KeyedDatabase& database) {
    const auto client = register_client(port);
    const auto refreshing = register_client(port, true);
    const auto token = sign_in(port, 1).front();
    connect_account(database, token, service);
    const auto us = "client_id=" + id + "&client_secret=" + secret;
    const auto question = client_post(port, "introspect", us + "&token=" + token);
    const auto trade = client_post(
        port, "token",
        us + "&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&audience=" +
            service + "&subject_token=" + token +
            "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token");
    const Endpoint endpoints[] = {
        {"nothing", [&] { return std::make_unique<Asking>(port, noop_post(port), "ok"); }, true, 0},
        {"introspection",
         [&] { return std::make_unique<Asking>(port, question, "\"active\":true"); }, true,
         least_of_nothing},
        {"exchange", [&] { return std::make_unique<Asking>(port, trade, "\"issued_token_type\""); },
         true, least_of_nothing},
        {"token, from a code", [&] { return std::make_unique<Redeeming>(port, client); }, false, 0},
        {"token, by refreshing", [&] { return std::make_unique<RefreshUse>(port, refreshing); },
         true, 0},
    };
    std::array<Figures, std::size(endpoints)> figures;
    std::printf(
        "(e) single requests, one at a time and 4 at once, beside the program that does "
        "nothing; medians of %d rounds by turns, load %s\n",
        rounds, load_average().c_str());
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t at = 0; at < figures.size(); ++at)
            measure(endpoints[at], figures[at], figures.front());
    }
    std::printf(
        "  %-22s %10s %10s %10s %10s\n", "", "p50 ms", "of nothing", "4: a second", "of nothing");
    for (std::size_t at = 0; at < figures.size(); ++at) print(endpoints[at], figures[at]);
    return EXIT_SUCCESS;
}

} // namespace consentgate::bench
