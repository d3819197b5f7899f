#include "consentgate/store/access_store.h"

#include "access_tables.h"
#include "session_table.h"
#include "signin_tables.h"

#include <optional>

namespace consentgate::store {

namespace {

constexpr int max_looks = 5;                               // at rules that change all the time
constexpr std::size_t max_people_bytes = 16 * 1024 * 1024; // that a worker remembers
constexpr std::size_t people_at_once = 500;                // of one page or look

// A rule that cannot be read must not open anything. Whom a deny would name is not known, so it
// names everyone; an allow names nobody.
core::Who who_of(const std::string& text, bool denies) {
    if (auto who = core::Who::parse(text)) return std::move(*who);
    return denies ? core::Who{} : core::Who{.kind = core::WhoKind::team};
}

void restore_who(Row& row, core::Who& who, bool denies) {
    std::string text;
    row.read_into(from_blob(text));
    who = who_of(text, denies);
}

// About, with what each text takes beside its letters.
std::size_t bytes_of(const core::Person& person) {
    std::size_t bytes = sizeof(person) + person.issuer.size() + person.name.size();
    for (const auto& group : person.groups) bytes += sizeof(group) + group.size();
    for (const auto& [name, values] : person.claims)
        for (const auto& value : values) bytes += 2 * sizeof(value) + name.size() + value.size();
    return bytes;
}

} // namespace

template <> core::Rule read(Row& row) {
    core::Rule rule;
    row.read_into(rule.number);
    restore(row, rule.effect);
    if (rule.asks_for_proof())
        row.read_into(from_blob(rule.proof));
    else
        restore_who(row, rule.who, rule.effect == core::Effect::deny);
    row.read_into(
        from_blob(rule.target.resource), from_blob(rule.target.scope),
        from_blob(rule.target.service), rule.created_at);
    return rule;
}

template <> core::TeamMember read(Row& row) {
    core::TeamMember member;
    row.read_into(member.team);
    restore_who(row, member.who, false);
    row.read_into(member.created_at);
    return member;
}

namespace {

PolicyVersion read_version(Database& db) {
    static constexpr auto statement =
        sql("SELECT ", columns<PolicyVersion>, " FROM policy_version WHERE id = ?");
    PolicyVersion found;
    db.query(
        statement, [&](Row& row) { found = read<PolicyVersion>(row); }, found.id);
    return found;
}

AccessRecords read_records(Database& db) {
    static constexpr auto rules =
        sql("SELECT ", columns<core::Rule>, " FROM access_rule ORDER BY rule_number");
    static constexpr auto members = sql(
        "SELECT ", columns<core::TeamMember>, " FROM team_member ORDER BY team, created_at, id");
    // Each change raises the version in its own transaction, so that what stands between two equal
    // versions is of that version.
    for (int looks = 0; looks < max_looks; ++looks) {
        const auto before = read_version(db);
        AccessRecords records{before.version, before.next_rule, !before.closed, {}, {}};
        db.query(rules, [&](Row& row) { records.rules.push_back(read<core::Rule>(row)); });
        db.query(
            members, [&](Row& row) { records.members.push_back(read<core::TeamMember>(row)); });
        if (read_version(db).version == before.version) return records;
    }
    throw StoreFailure("the rules of access change all the time");
}

// A compare-and-set of the version: of changes that read the same one, one is written.
Applied raise_version(
    Database& db, const AccessRecords& of, const PolicyVersion& next, const std::string& by) {
    if (of.version == 0) {
        if (read_version(db).version != 0) return Applied::no;
        insert(db, next); // its primary key keeps a second one out
        return Applied::yes;
    }
    return applied(db.run(
        "UPDATE policy_version SET version = ?, next_rule = ?, closed = ?, changed_by = ? "
        "WHERE id = ? AND version = ?",
        next.version, next.next_rule, next.closed, by, next.id, of.version));
}

} // namespace

AccessRecords AccessStore::read() {
    return db_.read([&] { return read_records(db_); });
}

std::int64_t AccessStore::version() {
    return db_.read([&] { return read_version(db_).version; });
}

std::shared_ptr<const core::AccessRules> AccessStore::rules(std::int64_t version) {
    if (rules_ && version == remembered_) return rules_;
    auto records = read();
    // Another node may not have the change yet that this one has.
    if (records.version < version)
        throw StoreFailure("the rules of access are older than their version");
    rules_ = std::make_shared<const core::AccessRules>(
        std::move(records.rules), std::move(records.members), records.open);
    remembered_ = records.version;
    return rules_;
}

core::AccessStanding AccessStore::standing(const std::optional<core::PersonId>& person) {
    static constexpr auto statement =
        sql("SELECT ", standing_columns, " FROM (SELECT 1 AS one) n ",
            "LEFT JOIN policy_version p ON p.id = 'policy' LEFT JOIN person o ON o.id = ?");
    return db_.read([&] {
        core::AccessStanding standing;
        db_.query(
            statement, [&](Row& row) { standing = read_standing(row); },
            person ? person->text : std::string());
        return standing;
    });
}

std::shared_ptr<const core::Person> AccessStore::person(
    const core::PersonId& id, std::int64_t version) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Person>, " FROM person WHERE id = ?");
    const auto known = people_.find(id.text);
    if (known != people_.end() && known->second->version == version) return known->second;
    auto found = find_row<core::Person>(db_, statement, id);
    if (!found) return nullptr;
    if (found->version < version) // on another node
        throw StoreFailure("a person is older than their version");
    const auto person = std::make_shared<const core::Person>(std::move(*found));
    const auto bytes = bytes_of(*person);
    if (people_bytes_ + bytes > max_people_bytes) {
        people_.clear();
        people_bytes_ = 0;
    }
    auto& remembered = people_[id.text];
    people_bytes_ += bytes - (remembered ? bytes_of(*remembered) : 0);
    return remembered = person;
}

void AccessStore::for_each_person(const std::function<void(const core::Person&)>& meet) {
    static const auto statement =
        std::string(sql("SELECT ", columns<core::Person>, " FROM person WHERE id > ? ")) +
        "ORDER BY id LIMIT " + std::to_string(people_at_once);
    for (std::string after;;) {
        const auto people = list_rows<core::Person>(db_, statement.c_str(), after);
        for (const auto& person : people) meet(person);
        if (people.size() < people_at_once) return;
        after = people.back().id.text;
    }
}

Applied AccessStore::change(
    const AccessRecords& of, const AccessChange& change, const std::string& change_id) {
    PolicyVersion next{
        .version = of.version + 1,
        .next_rule = of.next_rule,
        .closed = !change.open.value_or(of.open),
        .changed_by = change_id};
    for (const auto& rule : change.added)
        next.next_rule = std::max(next.next_rule, rule.number + 1);
    const auto in_effect = [&] {
        return db_.has("SELECT 1 FROM policy_version WHERE changed_by = ?", change_id);
    };
    const auto work = [&] {
        if (raise_version(db_, of, next, change_id) == Applied::no) return Applied::no;
        for (const auto number : change.removed)
            db_.run("DELETE FROM access_rule WHERE rule_number = ?", number);
        for (const auto& rule : change.added) insert(db_, rule);
        for (const auto& member : change.left)
            db_.run("DELETE FROM team_member WHERE id = ?", key_of_member(member));
        for (const auto& member : change.joined) insert(db_, member);
        return Applied::yes;
    };
    try {
        return db_.write(work, in_effect);
    } catch (const StoreFailure&) { // the first rule was written twice at once
        if (of.version != 0 || version() == 0) throw;
        return db_.read(in_effect) ? Applied::yes : Applied::no;
    }
}

} // namespace consentgate::store
