// When and from where sessions are used, to the hour. Each worker notes it in memory, because a
// call to the gate must not wait for a write; a worker that has nothing else to do writes the notes
// down, many in one transaction. A worker that is killed loses those of the last minutes.
// spec: docs/requirements.md XA4
#pragma once

#include "consentgate/store/session_store.h"

#include <cstddef>
#include <list>
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
    SessionUses(const SessionUses&) = delete; // its places lead into its own lists
    SessionUses& operator=(const SessionUses&) = delete;

    // A session whose row tells of this hour already, by another worker's hand, is not written
    // again.
    // in: address  of the client, as the web server says; empty where another party asks for it
    void note(const core::Session& session, const std::string& address, core::Instant now);

    // At most `limit` that are not written yet.
    std::vector<store::SessionUse> unwritten(std::size_t limit) const;
    // The first `count` of them are written.
    void mark_written(std::size_t count);

    bool empty() const { return waiting_.empty(); }
    core::Instant last_noted() const { return last_noted_; }

private:
    using Uses = std::list<store::SessionUse>;
    struct Place {
        Uses::iterator use;
        bool written; // which of the two lists has it
    };

    bool forget_one();

    std::size_t most_;
    Uses waiting_, written_;                        // each in the order in which they came to it
    std::unordered_map<std::string, Place> places_; // by session
    core::Instant last_noted_{};
};

// Writes one batch of the notes.
// out:  whether there are more
// fail: throws StoreFailure; the notes stay
bool write_session_uses(Dependencies& deps, SessionUses& uses);

} // namespace consentgate::usecase
