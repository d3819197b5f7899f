// When and from where sessions are used, to the hour. Each worker notes it in memory, because a
// call to the gate must not wait for a write; a worker that has nothing else to do writes the notes
// down, many in one transaction. A worker that is killed loses those of the last minutes.
// spec: docs/requirements.md XA4
#pragma once

#include "consentgate/store/session_store.h"

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

namespace consentgate::usecase {

struct Dependencies;

// One belongs to one worker.
class SessionUses {
public:
    // in: most  how many sessions it knows at a time; one more is noted at a later call, when some
    //           have been written
    explicit SessionUses(std::size_t most = 4096) : most_(most) {}

    // A session whose row tells of this hour already, by another worker's hand, is not written
    // again.
    // in: address  of the client, as the web server says; empty where another party asks for it
    void note(const core::Session& session, const std::string& address, core::Instant now);

    // At most `limit` that are not written yet.
    std::vector<store::SessionUse> unwritten(std::size_t limit) const;
    // The first `count` of them are written.
    void mark_written(std::size_t count);

    bool empty() const { return order_.empty(); }
    core::Instant last_noted() const { return last_noted_; }

private:
    struct Noted {
        core::Instant hour{};
        std::string from;
        bool written = false;
    };

    void forget_written();

    std::size_t most_;
    std::unordered_map<std::string, Noted> noted_; // by session
    std::vector<std::string> order_;               // the sessions that are not written yet
    core::Instant last_noted_{};
};

// Writes one batch of the notes.
// out:  whether there are more
// fail: throws StoreFailure; the notes stay
bool write_session_uses(Dependencies& deps, SessionUses& uses);

} // namespace consentgate::usecase
