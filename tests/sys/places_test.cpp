#include "consentgate/sys/places.h"

#include "consentgate/sys/http_client.h"
#include "consentgate/sys/metrics.h"
#include "tests/support/child.h"
#include "tests/support/temp_folder.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <vector>

using namespace consentgate;
using namespace consentgate::sys;
using namespace consentgate::tests;
using boost::unit_test::label;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

constexpr milliseconds at_once{0};

// A process that runs `work`, and ends well when that says so.
pid_t child(const std::function<bool()>& work) {
    return start_child([&] { return work() ? 0 : 1; });
}

bool ended_well(pid_t pid) { return end_of(pid) == 0; }

// A worker that has entered and keeps its place until it is asked to leave, or killed.
class Holder {
public:
    Holder(
        Places& places, PlaceKind kind, const std::string& target, milliseconds longest = at_once) {
        std::array<int, 2> said{};
        BOOST_REQUIRE(::pipe(said.data()) == 0 && ::pipe(asked_.data()) == 0);
        pid_ = child([&] {
            places.join();
            const auto place = places.enter(kind, target, longest);
            const char word = place ? 'y' : 'n';
            char byte = 0;
            return ::write(said[1], &word, 1) == 1 && ::read(asked_[0], &byte, 1) == 1;
        });
        char word = 0;
        BOOST_REQUIRE(::read(said[0], &word, 1) == 1);
        entered = word == 'y';
        ::close(said[0]);
        ::close(said[1]);
    }
    ~Holder() { leave(); }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    void leave() {
        if (pid_ == 0) return;
        (void)!::write(asked_[1], "x", 1); // a killed one does not read it
        ended_well(pid_);
        ::close(asked_[0]);
        ::close(asked_[1]);
        pid_ = 0;
    }
    void kill() {
        ::kill(pid_, SIGKILL);
        leave();
    }
    pid_t pid() const { return pid_; }

    bool entered = false;

private:
    std::array<int, 2> asked_{};
    pid_t pid_ = 0;
};

double ms_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::unique_ptr<Places> places_of(std::size_t workers) {
    auto places = std::make_unique<Places>();
    places->set_workers(workers);
    return places;
}

std::string metric(const Metrics& metrics, const std::string& name) {
    const auto text = metrics.text();
    const auto at = text.find("\n" + name + " ");
    if (at == std::string::npos) return "";
    const auto begin = at + name.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
}

} // namespace

BOOST_AUTO_TEST_SUITE(places_suite)

BOOST_AUTO_TEST_CASE(
    of_eight_workers_two_wait_for_one_party_four_for_one_kind_and_six_in_all, *label("XC2")) {
    const auto places = places_of(8);
    const auto holds = [&](PlaceKind kind, const std::string& target) {
        return std::make_unique<Holder>(*places, kind, target);
    };
    std::vector<std::unique_ptr<Holder>> holders;
    const auto enters = [&](PlaceKind kind, const std::string& target) {
        auto holder = holds(kind, target);
        const bool entered = holder->entered;
        if (entered) holders.push_back(std::move(holder));
        return entered;
    };
    BOOST_TEST(enters(PlaceKind::refresh, "a"));
    BOOST_TEST(enters(PlaceKind::wait, "a"));
    BOOST_TEST(!enters(PlaceKind::redeem, "a"), "a third one at the same party, whatever for");
    for (const auto* target : {"b", "c", "d"}) BOOST_TEST(enters(PlaceKind::refresh, target));
    BOOST_TEST(!enters(PlaceKind::refresh, "e"), "a fifth of the same kind");
    BOOST_TEST(enters(PlaceKind::body, "f"));
    BOOST_TEST(!enters(PlaceKind::redeem, "g"), "a seventh");
    holders.pop_back();
    BOOST_TEST(enters(PlaceKind::redeem, "g"));
}

BOOST_AUTO_TEST_CASE(
    who_finds_no_place_waits_for_one_a_third_of_a_second_and_no_longer, *label("XC2")) {
    const auto places = places_of(8);
    Holder one(*places, PlaceKind::refresh, "a"), other(*places, PlaceKind::refresh, "a");
    auto begin = Clock::now();
    BOOST_TEST(!places->enter(PlaceKind::refresh, "a"));
    BOOST_TEST(ms_since(begin) >= 300);
    begin = Clock::now();
    const auto leaves = child([&] {
        ::usleep(50'000);
        return true;
    });
    Holder waiting(*places, PlaceKind::refresh, "b");
    ended_well(leaves);
    one.leave();
    const auto place = places->enter(PlaceKind::refresh, "a");
    BOOST_TEST(static_cast<bool>(place));
    BOOST_TEST(ms_since(begin) < 5000);
}

BOOST_AUTO_TEST_CASE(a_worker_that_gets_a_place_while_it_waits_goes_on_at_once, *label("XC2")) {
    const auto places = places_of(4);
    auto one = std::make_unique<Holder>(*places, PlaceKind::refresh, "a");
    BOOST_REQUIRE(one->entered);
    const auto waiting = child([&] {
        return static_cast<bool>(places->enter(PlaceKind::refresh, "a", milliseconds(20'000)));
    });
    ::usleep(100'000);
    one->leave();
    BOOST_TEST(ended_well(waiting));
}

BOOST_AUTO_TEST_CASE(
    callers_of_a_party_that_hangs_do_not_keep_all_workers_waiting_for_a_place, *label("XC2")) {
    const auto places = places_of(8);
    Holder one(*places, PlaceKind::refresh, "a"), other(*places, PlaceKind::refresh, "a");
    std::vector<pid_t> waiting;
    for (int i = 0; i < 4; ++i) {
        waiting.push_back(
            child([&] { return !places->enter(PlaceKind::refresh, "a", milliseconds(1500)); }));
    }
    ::usleep(300'000);
    const auto begin = Clock::now();
    BOOST_TEST(!places->enter(PlaceKind::refresh, "a", milliseconds(10'000)));
    BOOST_TEST(ms_since(begin) < 1000, "the seventh is refused without a wait");
    const auto place = places->enter(PlaceKind::redeem, "b", at_once);
    BOOST_TEST(static_cast<bool>(place), "and another party has its places all the same");
    for (const auto pid : waiting) BOOST_TEST(ended_well(pid));
}

BOOST_AUTO_TEST_CASE(
    a_place_within_a_place_is_the_same_one_because_it_is_one_worker, *label("XC2")) {
    const auto places = places_of(4);
    auto outer = places->enter(PlaceKind::revocation, "a", at_once);
    BOOST_REQUIRE(static_cast<bool>(outer));
    {
        const auto inner = places->enter(PlaceKind::registration, "a", at_once);
        BOOST_TEST(static_cast<bool>(inner));
    }
    BOOST_TEST(!Holder(*places, PlaceKind::revocation, "a").entered, "the outer one is still held");
    auto moved = std::move(outer);
    BOOST_TEST(!Holder(*places, PlaceKind::revocation, "a").entered);
    moved.leave();
    BOOST_TEST(!moved);
    BOOST_TEST(Holder(*places, PlaceKind::revocation, "a").entered);
}

BOOST_AUTO_TEST_CASE(the_place_of_a_worker_that_was_killed_is_free_again, *label("XC2")) {
    const auto places = places_of(4);
    for (int round = 0; round < 5; ++round) {
        Holder killed(*places, PlaceKind::refresh, "a");
        BOOST_REQUIRE(killed.entered);
        killed.kill();
        BOOST_TEST(static_cast<bool>(places->enter(PlaceKind::refresh, "a", at_once)));
    }
}

BOOST_AUTO_TEST_CASE(
    a_process_that_got_the_id_of_a_dead_one_does_not_inherit_its_place, *label("XC2")) {
    const tests::TempFolder folder;
    const auto file = folder.file("places");
    pid_t pid = 0;
    {
        Places places(file);
        Holder one(places, PlaceKind::refresh, "a");
        BOOST_REQUIRE(one.entered);
        pid = one.pid();
        // As if the holder had died, and its id were another process's now: the time of the start
        // is another one.
        const int opened = ::open(file.c_str(), O_RDWR);
        std::string bytes(1 << 20, '\0');
        const auto size = ::pread(opened, bytes.data(), bytes.size(), 0);
        BOOST_REQUIRE(size > 0);
        std::size_t changed = 0;
        for (std::size_t at = 0; at + 16 <= static_cast<std::size_t>(size); at += 8) {
            pid_t found = 0;
            std::copy_n(bytes.data() + at, sizeof found, reinterpret_cast<char*>(&found));
            if (found != pid) continue;
            const std::uint64_t another = 1;
            changed += ::pwrite(opened, &another, sizeof another, static_cast<off_t>(at + 8)) == 8;
        }
        ::close(opened);
        BOOST_REQUIRE(changed == 2U); // its place, and its membership
        const auto place = places.enter(PlaceKind::refresh, "a", at_once);
        BOOST_TEST(static_cast<bool>(place));
    }
}

BOOST_AUTO_TEST_CASE(
    programs_without_a_common_master_share_a_file_and_count_who_lives, *label("XC2")) {
    const tests::TempFolder folder;
    const auto file = folder.file("places");
    Places here(file), there(file);
    here.join();
    BOOST_TEST(here.in_file());
    std::vector<std::unique_ptr<Holder>> holders;
    holders.push_back(std::make_unique<Holder>(there, PlaceKind::refresh, "a"));
    BOOST_TEST(holders.back()->entered);
    BOOST_TEST(!here.enter(PlaceKind::refresh, "b", at_once), "of two processes one may wait");
    const auto process = [&](const char* target) {
        holders.push_back(std::make_unique<Holder>(there, PlaceKind::redeem, target));
        return holders.back()->entered;
    };
    BOOST_TEST(process("b"), "of three two may");
    BOOST_TEST(process("c"), "of four three may");
    BOOST_TEST(!here.enter(PlaceKind::documents, "d", at_once));
    for (auto& holder : holders) holder->kill();
    BOOST_TEST(static_cast<bool>(here.enter(PlaceKind::refresh, "a", at_once)));
    Places later(file);
    const auto again = later.enter(PlaceKind::refresh, "a", at_once);
    BOOST_TEST(static_cast<bool>(again), "a program that starts later finds the file as it is");
}

BOOST_AUTO_TEST_CASE(
    a_file_of_another_version_gives_way_and_one_that_cannot_be_written_is_refused, *label("XC2")) {
    const tests::TempFolder folder;
    const auto file = folder.file("places");
    const int opened = ::open(file.c_str(), O_RDWR | O_CREAT, 0600);
    BOOST_REQUIRE(::write(opened, "of another version", 18) == 18);
    ::close(opened);
    Places places(file);
    BOOST_TEST(static_cast<bool>(places.enter(PlaceKind::refresh, "a", at_once)));
    BOOST_CHECK_THROW(Places(folder.file("missing/places")), std::runtime_error);
}

// Many workers that enter, leave and are killed at random: at no time do more of them hold places
// than the limits allow, and in the end all places are free.
BOOST_AUTO_TEST_CASE(whatever_many_workers_do_the_limits_hold_and_no_place_is_lost, *label("XC2")) {
    constexpr std::size_t workers = 16, targets = 5;
    struct Seen {
        std::array<std::atomic<int>, targets> target{};
        std::array<std::atomic<int>, place_kinds> kind{};
        std::atomic<int> all{0}, too_many{0}, entered{0};
    };
    void* memory =
        ::mmap(nullptr, sizeof(Seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    auto& seen = *new (memory) Seen{};
    const auto places = places_of(workers);
    const auto limits = core::place_limits(workers);
    std::vector<pid_t> pids;
    for (std::size_t worker = 0; worker < workers; ++worker) {
        pids.push_back(child([&, worker] {
            std::mt19937 random(static_cast<unsigned>(worker) + 1);
            for (int round = 0; round < 300; ++round) {
                const auto target = random() % targets, kind = random() % place_kinds;
                const auto place = places->enter(
                    static_cast<PlaceKind>(kind), std::to_string(target),
                    milliseconds(random() % 8));
                if (!place) continue;
                ++seen.entered;
                if (++seen.all > static_cast<int>(limits.all) ||
                    ++seen.kind[kind] > static_cast<int>(limits.of_kind) ||
                    ++seen.target[target] > static_cast<int>(limits.of_target))
                    ++seen.too_many;
                ::usleep(static_cast<useconds_t>(random() % 500));
                --seen.target[target], --seen.kind[kind], --seen.all;
            }
            return true;
        }));
    }
    for (const auto pid : pids) BOOST_TEST(ended_well(pid));
    BOOST_TEST(seen.too_many == 0);
    BOOST_TEST(seen.entered > 300);
    // The same with one that is killed now and then, wherever it is.
    std::mt19937 random(7);
    for (int round = 0; round < 60; ++round) {
        const auto killed = child([&]() -> bool {
            for (;;)
                (void)places->enter(PlaceKind::refresh, std::to_string(round % 3), milliseconds(5));
        });
        ::usleep(static_cast<useconds_t>(1000 + random() % 3000));
        ::kill(killed, SIGKILL);
        ended_well(killed);
    }
    std::vector<std::unique_ptr<Holder>> holders;
    for (const auto kind : {PlaceKind::refresh, PlaceKind::redeem}) {
        for (int i = 0; i < 6; ++i)
            holders.push_back(std::make_unique<Holder>(
                *places, kind, std::to_string(static_cast<int>(kind)) + std::to_string(i % 2)));
    }
    const auto entered = std::count_if(
        holders.begin(), holders.end(), [](const auto& holder) { return holder->entered; });
    BOOST_TEST(entered == 12);
    ::munmap(memory, sizeof(Seen));
}

BOOST_AUTO_TEST_CASE(
    a_monitor_sees_the_places_that_are_held_and_the_refusals, *label("XC2") * label("O7")) {
    const tests::TempFolder folder;
    Metrics metrics(folder.file("metrics"));
    const auto places = places_of(4);
    places->count_in(&metrics, "gate");
    const std::string labels = R"({role="gate",kind="refresh"})";
    Holder one(*places, PlaceKind::refresh, "a");
    BOOST_TEST(metric(metrics, "consentgate_places_held" + labels) == "1");
    BOOST_TEST(metric(metrics, "consentgate_places_refused_total" + labels) == "");
    BOOST_TEST(!places->enter(PlaceKind::refresh, "a", at_once));
    BOOST_TEST(metric(metrics, "consentgate_places_refused_total" + labels) == "1");
    one.kill();
    places->release_dead();
    BOOST_TEST(metric(metrics, "consentgate_places_held" + labels) == "0");
}

BOOST_AUTO_TEST_CASE(a_worker_s_client_asks_nobody_without_a_place_for_that_host, *label("XC2")) {
    struct Counting final : HttpClient {
        int asked = 0;
        HttpResponse send(const HttpRequest&) override {
            ++asked;
            HttpResponse response;
            response.answered = true;
            return response;
        }
    } counting;
    const auto places = places_of(4);
    PlacedHttpClient client(counting, *places);
    Holder one(*places, PlaceKind::refresh, place_target("https://a.example/token"));
    const auto refused =
        client.send({.purpose = PlaceKind::redeem, .url = "https://A.example:443/other"});
    BOOST_TEST(refused.no_place);
    BOOST_TEST(!refused.answered);
    BOOST_TEST(counting.asked == 0);
    const auto sent = client.send({.purpose = PlaceKind::redeem, .url = "https://a.example:444/x"});
    BOOST_TEST(sent.answered);
    one.leave();
    BOOST_TEST(
        client.send({.purpose = PlaceKind::redeem, .url = "https://a.example/token"}).answered);
}

BOOST_AUTO_TEST_SUITE_END()
