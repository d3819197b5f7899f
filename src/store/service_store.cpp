#include "consentgate/store/service_store.h"

#include "account_tables.h"

namespace consentgate::store {
namespace {

Applied write_service(Database& db, const core::Service& service) {
    static constexpr auto statement =
        sql("UPDATE service SET ", assignments<core::Service>,
            ", version = version + 1 WHERE id = ? AND version = ?");
    const auto run = [&](const auto&... bound) {
        return db.run(statement, bound..., service.id, service.version);
    };
    return applied(std::apply(run, bindings<List::assignments>(service)));
}

// Two updates that wrote the same client id over the same version are alike.
bool was_written(Database& db, const core::Service& service) {
    std::string client_id;
    const auto found = db.query(
        "SELECT client_id FROM service WHERE id = ? AND version = ?",
        [&](Row& row) { row.read_into(from_blob(client_id)); }, service.id, service.version + 1);
    return found == 1 && client_id == service.client_id;
}

} // namespace

void ServiceStore::put(const core::Service& service) {
    db_.write(
        [&] {
            insert(db_, service);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM service WHERE id = ?", service.id); });
}

std::optional<core::Service> ServiceStore::find(const core::ServiceId& id) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Service>, " FROM service WHERE id = ?");
    return find_row<core::Service>(db_, statement, id);
}

std::vector<core::Service> ServiceStore::list() {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Service>, " FROM service ORDER BY id");
    return list_rows<core::Service>(db_, statement);
}

std::vector<core::Service> ServiceStore::list_to_renew(core::Instant now, std::size_t limit) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Service>,
            " FROM service WHERE renew_at <= ? AND active = 1 ORDER BY renew_at, id LIMIT ?");
    return list_rows<core::Service>(db_, statement, now, limit);
}

Applied ServiceStore::update(const core::Service& service) {
    return db_.write(
        [&] { return write_service(db_, service); }, [&] { return was_written(db_, service); });
}

Applied ServiceStore::change_registration(
    const core::Service& service, const core::FormerRegistration& former) {
    return db_.write(
        [&] {
            if (write_service(db_, service) == Applied::no) return Applied::no;
            insert(db_, former);
            return Applied::yes;
        },
        [&] { return was_written(db_, service); });
}

std::optional<core::FormerRegistration> ServiceStore::find_former(
    const core::ServiceId& service, const core::RegistrationId& registration) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::FormerRegistration>, " FROM former_registration WHERE id = ?");
    return find_row<core::FormerRegistration>(
        db_, statement, core::former_registration_id(service, registration));
}

std::vector<core::FormerRegistration> ServiceStore::list_former() {
    static constexpr auto statement =
        sql("SELECT ", columns<core::FormerRegistration>, " FROM former_registration ORDER BY id");
    return list_rows<core::FormerRegistration>(db_, statement);
}

Applied ServiceStore::remove(const core::ServiceId& id, bool leave) {
    return db_.write(
        [&] {
            if (!leave && db_.has("SELECT 1 FROM upstream_token WHERE service_id = ? LIMIT 1", id))
                return Applied::no;
            if (db_.run("DELETE FROM service WHERE id = ?", id) != 1) return Applied::no;
            db_.run("DELETE FROM upstream_state WHERE service_id = ?", id);
            db_.run("DELETE FROM upstream_token WHERE service_id = ?", id);
            db_.run("DELETE FROM former_registration WHERE service_id = ?", id);
            return Applied::yes;
        },
        [&] { return !db_.has("SELECT 1 FROM service WHERE id = ?", id); });
}

} // namespace consentgate::store
