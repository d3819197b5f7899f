// Upstream services. in, out, fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/upstream/service.h"
#include "consentgate/store/failure.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace consentgate::store {

class Database;

class ServiceStore {
public:
    explicit ServiceStore(Database& db) : db_(db) {}

    void put(const core::Service& service);
    std::optional<core::Service> find(const core::ServiceId& id);
    std::vector<core::Service> list(); // by id
    // Active ones whose registration is to be renewed, those first whose time came first.
    std::vector<core::Service> list_to_renew(core::Instant now, std::size_t limit);
    // Writes every column and raises the version. no: the service was changed or removed since
    // `service.version` was read.
    Applied update(const core::Service& service);
    // update() for a service with another registration of ours; keeps the former one.
    Applied change_registration(
        const core::Service& service, const core::FormerRegistration& former);
    std::optional<core::FormerRegistration> find_former(
        const core::ServiceId& service, const core::RegistrationId& registration);
    std::vector<core::FormerRegistration> list_former(); // by id
    // no: the service is unknown, or an account that was linked there is left, ended or not.
    // in: leave  deletes such accounts too, without revoking them at the service
    Applied remove(const core::ServiceId& id, bool leave);

private:
    Database& db_;
};

} // namespace consentgate::store
