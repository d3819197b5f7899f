// Database servers for the length of a test program, through tests/support/databases.sh, which ends
// with its input.
#pragma once

#include "consentgate/store/open.h"

#include <Poco/Pipe.h>
#include <Poco/PipeStream.h>
#include <Poco/Process.h>

#include <string>
#include <vector>

namespace consentgate::tests {

class Servers {
public:
    // in:   kind    as databases.sh names it
    //       folder  for their data
    // fail: throws std::runtime_error
    Servers(const std::string& kind, const std::string& folder);
    ~Servers();
    Servers(const Servers&) = delete;
    Servers& operator=(const Servers&) = delete;

    // A configuration that knows the given nodes, in this order. Without TLS: the tests of TLS set
    // it themselves.
    store::StoreConfig config(const std::vector<int>& nodes) const;
    // One command of databases.sh. out: its answer without the `ok`. fail: throws
    // std::runtime_error when it failed
    std::string tell(const std::string& command);
    std::string sql(int node, const std::string& statement) {
        return tell("sql " + std::to_string(node) + " " + statement);
    }

    const std::string& folder() const { return folder_; }
    int port(int node) const { return hosts_.at(static_cast<std::size_t>(node - 1)).port; }

private:
    std::string scheme_, folder_;
    std::vector<store::Host> hosts_;
    Poco::Pipe in_, out_;
    std::unique_ptr<Poco::ProcessHandle> process_;
    std::unique_ptr<Poco::PipeOutputStream> commands_;
    std::unique_ptr<Poco::PipeInputStream> answers_;
};

} // namespace consentgate::tests
