// Another worker of the same program, for cases in which places are taken.
#pragma once

#include "consentgate/sys/places.h"
#include "tests/support/child.h"

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <signal.h>

#include <array>
#include <string>

namespace consentgate::tests {

// It waits for a host, and holds a place for that, until it is killed.
class OtherWorker {
public:
    OtherWorker(sys::Places& places, const std::string& url) {
        std::array<int, 2> ends{};
        BOOST_REQUIRE(::pipe(ends.data()) == 0);
        pid_ = start_child([&] {
            const auto place = places.enter(sys::PlaceKind::redeem, sys::place_target(url));
            const char entered = place ? 'y' : 'n';
            if (::write(ends[1], &entered, 1) == 1) ::pause();
            return 0;
        });
        char entered = 0;
        BOOST_REQUIRE(::read(ends[0], &entered, 1) == 1 && entered == 'y');
        ::close(ends[0]);
        ::close(ends[1]);
    }
    ~OtherWorker() { kill(); }
    OtherWorker(const OtherWorker&) = delete;
    OtherWorker& operator=(const OtherWorker&) = delete;

    void kill() {
        if (pid_ > 0) ::kill(pid_, SIGKILL);
        if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

private:
    pid_t pid_ = 0;
};

} // namespace consentgate::tests
