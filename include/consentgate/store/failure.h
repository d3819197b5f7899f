// How a database says no: to the condition of a write, and to everything.
#pragma once

#include <stdexcept>
#include <string>

namespace consentgate::store {

// The database is unreachable, locked beyond the wait, read-only, full or broken. The text is for
// the log: it names the engine's code for the error and never holds SQL, values or passwords.
class StoreFailure : public std::runtime_error {
public:
    explicit StoreFailure(const std::string& text, bool outcome_known = true)
        : std::runtime_error(text), outcome_known_(outcome_known) {}
    // False: the answer to a commit was lost and could not be found out in time, so the write may
    // have taken effect.
    bool outcome_known() const { return outcome_known_; }

private:
    bool outcome_known_;
};

// The answer of a conditional write. no: the row was not there, or not as the condition asked, and
// nothing was written.
enum class Applied { yes, no };

} // namespace consentgate::store
