// The command line of the program consentgate. Private to this module.
#pragma once

#include <string>
#include <vector>

namespace consentgate::app {

struct ServerLine {
    bool gate = false, help = false, version = false;
    std::string config_path;
};

// fail: throws std::invalid_argument that names the word which is none of its options: a misspelt
//       --gate must not start the pages on the gate's socket
ServerLine read_server_line(std::vector<std::string> line);

std::string server_usage();

} // namespace consentgate::app
