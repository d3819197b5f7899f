// A file that gets its name when it is whole, and not before.
#pragma once

#include <string>

namespace consentgate::sys {

class NewFile {
public:
    // Makes an empty draft beside it, which its owner alone may read.
    // fail: throws std::runtime_error: there is a file of that name or of the draft's, or none can
    //       be made
    explicit NewFile(std::string path);
    ~NewFile(); // deletes the draft, unless it was kept
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    const std::string& draft() const { return draft_; }
    // Gives the draft its name, which outlives a power cut from then on.
    // fail: throws std::runtime_error: the name was taken meanwhile, or the disk fails
    void keep();

private:
    const std::string path_, draft_;
    bool kept_ = false;
};

} // namespace consentgate::sys
