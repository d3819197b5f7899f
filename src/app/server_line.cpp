#include "server_line.h"

#include "near_words.h"

#include "consentgate/app/composition.h"

#include <stdexcept>

namespace consentgate::app {

ServerLine read_server_line(std::vector<std::string> line) {
    ServerLine read;
    read.config_path = take_config_path(line);
    for (const auto& word : line) {
        if (word == "--gate")
            read.gate = true;
        else if (word == "--help" || word == "-h")
            read.help = true;
        else if (word == "--version")
            read.version = true;
        else
            throw std::invalid_argument(
                "there is no option " + word +
                did_you_mean(word, {"--gate", "--config", "--help", "--version"}) +
                "; see consentgate --help");
    }
    return read;
}

std::string server_usage() {
    return "usage: spawn-fcgi -n -s SOCKET -- /usr/bin/consentgate [--gate] [--config FILE]\n"
           "consentgate is a FastCGI program: spawn-fcgi, which needs its whole path, or\n"
           "systemd gives it a listening socket. With --gate it is the gate, a FastCGI\n"
           "AUTHORIZER on a socket of its own. consentgate --version prints the version.\n"
           "The configuration is --config FILE, else CONSENTGATE_CONFIG, else\n"
           "/etc/consentgate/consentgate.conf. consentgate-admin --help explains the\n"
           "operator's commands.\n"
           "example: spawn-fcgi -n -s /run/gate.sock -- /usr/bin/consentgate --gate\n";
}

} // namespace consentgate::app
