// The operator's own mark at the head of every page, instead of ours.
#pragma once

#include <string>

namespace consentgate::web {

struct Logo {
    std::string type;  // of the bytes: "image/svg+xml", "image/png", "image/jpeg" or "image/webp"
    std::string bytes; // empty: there is none
    std::string url;   // changes with the bytes, so that they can be cached for long
};

// in:   path  empty: there is none
// fail: throws std::runtime_error naming the file: it cannot be read, is larger than 256 KiB, or
//       begins like none of these pictures
Logo load_logo(const std::string& path);

} // namespace consentgate::web
