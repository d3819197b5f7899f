#include "servers.h"

#include "consentgate/core/base/text.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace consentgate::tests {
namespace {

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

} // namespace

Servers::Servers(const std::string& kind, const std::string& folder)
    : scheme_(kind.starts_with("postgresql") ? "postgresql" : "mariadb"), folder_(folder) {
    std::filesystem::create_directories(folder);
    process_ = std::make_unique<Poco::ProcessHandle>(
        Poco::Process::launch("tests/support/databases.sh", {kind, folder}, &in_, &out_, nullptr));
    commands_ = std::make_unique<Poco::PipeOutputStream>(in_);
    answers_ = std::make_unique<Poco::PipeInputStream>(out_);
    for (std::string line; std::getline(*answers_, line) && line != "ready";) {
        const auto parts = core::split(line, '\t');
        if (parts.size() == 5 && parts[0] == "node")
            hosts_.push_back({parts[2], std::stoi(parts[3])});
    }
    if (hosts_.empty() || !*answers_) throw std::runtime_error(kind + " did not start");
}

Servers::~Servers() {
    commands_->close();
    process_->wait();
}

store::StoreConfig Servers::config(const std::vector<int>& nodes) const {
    std::vector<std::string> hosts;
    for (const int node : nodes)
        hosts.push_back(
            hosts_.at(static_cast<std::size_t>(node - 1)).name + ":" + std::to_string(port(node)));
    store::StoreConfig config;
    if (const auto problem = store::read_address(
            scheme_ + "://consentgate@" + core::join(hosts, ",") + "/consentgate", config))
        throw std::runtime_error(*problem);
    config.password = core::Secret(first_line(folder_ + "/password"));
    return config;
}

std::string Servers::tell(const std::string& command) {
    *commands_ << command << "\n" << std::flush;
    std::string line;
    if (!std::getline(*answers_, line)) throw std::runtime_error("the database servers are gone");
    if (line.starts_with("ok")) return std::string(core::trim(std::string_view(line).substr(2)));
    throw std::runtime_error(command + ": " + line);
}

} // namespace consentgate::tests
