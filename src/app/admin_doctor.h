// The parts of the doctor's command. Private to this module.
#pragma once

#include "admin.h"

#include "consentgate/app/doctor_machine.h"
#include "consentgate/app/front_config.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::app::admin {

// A check that throws is broken; its message says what to do.
void run_check(
    std::vector<Finding>& findings, const std::string& what, Cause cause,
    const std::function<void()>& check);

// Files, database and key. out: false: nothing more can be known here
void check_files_and_database(
    Context& context, const Arguments& arguments, std::vector<Finding>& findings);

// The web server's configuration on this machine, if it has consentgate in it.
FrontConfig find_front_config(Context& context, const Arguments& arguments);

// Sockets and modules, as that configuration names them, and the servers behind.
void check_web_server_here(
    const FrontConfig& front, const std::vector<ServerBehind>& servers,
    std::vector<Finding>& findings);

// The servers behind that are known by the configuration or by --behind.
std::vector<ServerBehind> find_servers_behind(
    const FrontConfig& front, const Arguments& arguments,
    const std::vector<core::GuardedResource>& resources);

// Where a server behind a resource is asked without the web server; empty: unknown.
std::string address_behind(
    const std::vector<ServerBehind>& servers, const core::GuardedResource& resource);

} // namespace consentgate::app::admin
