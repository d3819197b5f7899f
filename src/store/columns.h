// One description of each table's columns, from which the compiler makes the SELECT list, the
// INSERT and the reading of a row, and transfer.cpp the columns of an export; private to this
// module.
//
// A new column is one line in sql/ and one line in a description (the *_table.h headers):
//
//     template <> inline constexpr auto table_of<core::VirtualKey> = table<core::VirtualKey>(
//         "virtual_key", column("id", &core::VirtualKey::id), blob("name",
//         &core::VirtualKey::name));
//
// The columns stand in the order of the schema, the primary key first. Conditional writes stay SQL
// text beside their bindings, because a condition must be read together with what fills it.
#pragma once

#include "client_key.h"
#include "database.h"
#include "failure_cause_column.h"

#include "consentgate/core/base/server_key.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/flow.h"
#include "consentgate/core/oauth/resource.h"
#include "consentgate/core/upstream/service.h"
#include "consentgate/store/transfer.h"

#include <array>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace consentgate::store {

// ---- how a member is stored when it is not stored as it is -------------------------------------

// An enum by its name.
template <class Member> decltype(auto) stored(const Member& member) {
    if constexpr (std::is_enum_v<Member>)
        return name_of(member);
    else
        return (member);
}
// NULL is the state that all server keys had before there were states.
inline std::optional<std::string_view> stored(core::KeyState state) {
    switch (state) {
    case core::KeyState::known: return "known";
    case core::KeyState::removed: return "removed";
    case core::KeyState::used: break;
    }
    return {};
}

template <class Member> void restore(Row& row, Member& member) { row.read_into(member); }
inline void restore(Row& row, core::ClientAuth& auth) {
    std::string word;
    row.read_into(word);
    auth = core::client_auth_of(word).value_or(core::ClientAuth::none);
}
inline void restore(Row& row, core::IdentityKind& kind) {
    std::string word;
    row.read_into(word);
    kind = core::identity_kind(word).value_or(core::IdentityKind::none);
}
inline void restore(Row& row, core::Registration& registration) {
    std::string word;
    row.read_into(word);
    registration = core::registration_of(word).value_or(core::Registration::given);
}
// NULL is what all services had before there were several.
inline void restore(Row& row, core::CallbackAddress& address) {
    std::string word;
    row.read_into(word);
    address = core::callback_address_of(word).value_or(core::CallbackAddress::shared);
}
inline void restore(Row& row, core::KeyState& state) {
    std::string word;
    row.read_into(word);
    state = word == "known"     ? core::KeyState::known
            : word == "removed" ? core::KeyState::removed
                                : core::KeyState::used;
}

// An owner by its one spelling.
inline std::string stored(const core::Owner& owner) { return owner.text(); }
inline void restore(Row& row, core::Owner& owner) {
    std::string text;
    row.read_into(text);
    if (!text.empty()) owner = core::Owner::parse(text);
}

// The text of an id that is not its own key follows in a column of its own: client_url_column.h.
inline std::string stored(const core::ClientId& id) { return client_key(id); }

// Bytes that a Value refers to and that live as long as this.
struct OwnedBytes {
    std::string text;
    operator Value() const { return to_blob(text); }
};

inline ToBlob stored_bytes(const std::string& text) { return to_blob(text); }
// An empty text is stored as none.
inline ToBlob stored_bytes(const std::optional<std::string>& text) {
    return to_blob(text ? std::string_view(*text) : std::string_view());
}
inline OwnedBytes stored_bytes(const std::vector<std::string>& lines) {
    return {core::join(lines, "\n")};
}
inline OwnedBytes stored_bytes(const core::ScopeSet& scope) { return {scope.text()}; }
// NULL is what all resources had before origins could be named.
inline OwnedBytes stored_bytes(const core::AllowedOrigins& origins) {
    return {origins.is_any() ? std::string() : origins.text()};
}

inline void restore_bytes(Row& row, std::string& text) { row.read_into(from_blob(text)); }
inline void restore_bytes(Row& row, std::optional<std::string>& text) {
    std::string found;
    row.read_into(from_blob(found));
    if (!found.empty()) text = std::move(found);
}
inline void restore_bytes(Row& row, std::vector<std::string>& lines) {
    std::string found;
    row.read_into(from_blob(found));
    lines = core::split(found, '\n');
}
inline void restore_bytes(Row& row, core::ScopeSet& scope) {
    std::string found;
    row.read_into(from_blob(found));
    scope = core::ScopeSet::parse(found).value_or(core::ScopeSet{});
}
// A text that cannot be read admits no origin.
inline void restore_bytes(Row& row, core::AllowedOrigins& origins) {
    std::string found;
    row.read_into(from_blob(found));
    if (!found.empty())
        origins = core::AllowedOrigins::parse(found).value_or(core::AllowedOrigins::none());
}

template <class Stored>
inline constexpr auto kind_of =
    std::integral<Stored> || std::same_as<Stored, core::Instant> ? Column::Kind::number
                                                                 : Column::Kind::text;
template <class Stored> inline constexpr auto kind_of<std::optional<Stored>> = kind_of<Stored>;

// ---- the columns of a description ---------------------------------------------------------------

// A number or a short text. get: a pointer to a member, or a function that returns a reference to
// a member of a member.
template <class Get> struct PlainColumn {
    static constexpr bool selected = true, inserted = true, updated = true;
    const char* name;
    Get get;

    template <class Entity> decltype(auto) bind(const Entity& entity) const {
        return stored(std::invoke(get, entity));
    }
    template <class Entity> void read(Row& row, Entity& entity) const {
        restore(row, std::invoke(get, entity));
    }
    template <class Entity> static constexpr Column::Kind kind() {
        using Stored = decltype(stored(std::invoke(std::declval<Get>(), std::declval<Entity&>())));
        return kind_of<std::remove_cvref_t<Stored>>;
    }
};

// A long text, a list of lines, a set of scopes, or a ciphertext. An empty one is stored as NULL.
template <class Get> struct BlobColumn {
    static constexpr bool selected = true, inserted = true, updated = true;
    const char* name;
    Get get;

    template <class Entity> auto bind(const Entity& entity) const {
        return stored_bytes(std::invoke(get, entity));
    }
    template <class Entity> void read(Row& row, Entity& entity) const {
        restore_bytes(row, std::invoke(get, entity));
    }
    template <class Entity> static constexpr Column::Kind kind() { return Column::Kind::bytes; }
};

// A column that follows from other members. get: a function that returns a value.
template <class Get> struct DerivedColumn {
    static constexpr bool selected = false, inserted = true, updated = true;
    const char* name;
    Get get;

    template <class Entity> auto bind(const Entity& entity) const { return get(entity); }
    template <class Entity> static constexpr Column::Kind kind() {
        return kind_of<
            std::remove_cvref_t<decltype(std::declval<Get>()(std::declval<const Entity&>()))>>;
    }
};

// A column that no member holds: only statements of its own and an export know it.
struct BareColumn {
    static constexpr bool selected = false, inserted = false, updated = false;
    const char* name;
    Column::Kind of;

    template <class Entity> constexpr Column::Kind kind() const { return of; }
};

// Not in the INSERT: NULL until a statement of its own writes it.
template <class Described> struct Later : Described {
    static constexpr bool inserted = false, updated = false;
};
// Not in the UPDATE of the whole row.
template <class Described> struct Fixed : Described { static constexpr bool updated = false; };

// A text that is NULL instead of empty.
template <class Get> struct NullIfEmpty : PlainColumn<Get> {
    template <class Entity> auto bind(const Entity& entity) const {
        const std::string_view text = Value(PlainColumn<Get>::bind(entity)).data;
        return text.empty() ? std::nullopt : std::optional(text);
    }
};

template <class Get> constexpr PlainColumn<Get> column(const char* name, Get get) {
    return {name, get};
}
template <class Get> constexpr BlobColumn<Get> blob(const char* name, Get get) {
    return {name, get};
}
template <class Get> constexpr DerivedColumn<Get> derived(const char* name, Get get) {
    return {name, get};
}
template <class Get> constexpr NullIfEmpty<Get> null_if_empty(PlainColumn<Get> column) {
    return {column};
}
constexpr BareColumn bare(const char* name, Column::Kind kind) { return {name, kind}; }
template <class Described> constexpr Later<Described> later(Described column) { return {column}; }
template <class Described> constexpr Fixed<Described> fixed(Described column) { return {column}; }

template <class Entity, class... Columns> struct TableOf {
    const char* name;
    std::tuple<Columns...> columns;
};
template <class Entity, class... Columns>
constexpr TableOf<Entity, Columns...> table(const char* name, Columns... columns) {
    return {name, {columns...}};
}

// The description of an entity's table. Each entity has a specialisation.
template <class Entity> inline constexpr auto table_of = nullptr;

// ---- the texts that the compiler makes ----------------------------------------------------------

// Text whose length is part of its type.
template <std::size_t Size> struct Sql {
    char text[Size + 1]{};
    constexpr operator const char*() const { return text; }
};

template <class Part> inline constexpr std::size_t size_of_part = 0;
template <std::size_t Size> inline constexpr std::size_t size_of_part<char[Size]> = Size - 1;
template <std::size_t Size> inline constexpr std::size_t size_of_part<Sql<Size>> = Size;

// One text of several: literals, and lists of columns.
template <class... Parts> consteval auto sql(const Parts&... parts) {
    Sql<(size_of_part<Parts> + ... + 0)> whole;
    std::size_t at = 0;
    const auto append = [&](const char* part) {
        while (*part != '\0') whole.text[at++] = *part++;
    };
    (append(parts), ...);
    return whole;
}

enum class List { selected, inserted, places, assignments };

template <List list, class Described> constexpr bool is_in(const Described&) {
    switch (list) {
    case List::selected: return Described::selected;
    case List::inserted:
    case List::places: return Described::inserted;
    case List::assignments: return Described::updated;
    }
}

// Hands the characters of a list to `put`, commas between.
// in: alias  of the table in a statement with a join; 0: none
template <class Entity, List list, char alias, class Put>
constexpr void write_list(const Put& put) {
    bool first = true;
    const auto write = [&](const auto& column) {
        if (!is_in<list>(column)) return;
        if (!first) (put(','), put(' '));
        first = false;
        if (list == List::places) return put('?');
        if (alias != 0) (put(alias), put('.'));
        for (const char* c = column.name; *c != '\0'; ++c) put(*c);
        if (list == List::assignments) (put(' '), put('='), put(' '), put('?'));
    };
    std::apply([&](const auto&... column) { (write(column), ...); }, table_of<Entity>.columns);
}

template <class Entity, List list, char alias = 0> consteval auto make_list() {
    constexpr auto size = [] {
        std::size_t count = 0;
        write_list<Entity, list, alias>([&](char) { ++count; });
        return count;
    }();
    Sql<size> made;
    std::size_t at = 0;
    write_list<Entity, list, alias>([&](char c) { made.text[at++] = c; });
    return made;
}

template <class Entity, char alias = 0>
inline constexpr auto columns = make_list<Entity, List::selected, alias>();
template <class Entity> inline constexpr auto assignments = make_list<Entity, List::assignments>();

template <class Entity> consteval auto table_name() {
    constexpr auto size = std::char_traits<char>::length(table_of<Entity>.name);
    Sql<size> made;
    for (std::size_t at = 0; at < size; ++at) made.text[at] = table_of<Entity>.name[at];
    return made;
}

// The name of the primary key.
template <class Entity> consteval auto key_name() {
    constexpr auto name = std::get<0>(table_of<Entity>.columns).name;
    Sql<std::char_traits<char>::length(name)> made;
    for (std::size_t at = 0; name[at] != '\0'; ++at) made.text[at] = name[at];
    return made;
}

template <class Entity>
inline constexpr auto insert_statement =
    sql("INSERT INTO ", table_name<Entity>(), " (", make_list<Entity, List::inserted>(),
        ") VALUES (", make_list<Entity, List::places>(), ")");

// ---- rows ---------------------------------------------------------------------------------------

// Reads the next columns of the row, which `columns<Entity>` selected. When an outer join found no
// row, the entity has an empty id.
template <class Entity> Entity read(Row& row) {
    Entity entity;
    const auto read_column = [&](const auto& column) {
        if constexpr (std::remove_cvref_t<decltype(column)>::selected) column.read(row, entity);
    };
    std::apply(
        [&](const auto&... column) { (read_column(column), ...); }, table_of<Entity>.columns);
    return entity;
}

// Values for the places of a list, in its order. They refer to the entity.
template <List list, class Entity> auto bindings(const Entity& entity) {
    const auto bind = [&](const auto& column) {
        using Described = std::remove_cvref_t<decltype(column)>;
        if constexpr (
            (list == List::assignments && Described::updated) ||
            (list == List::places && Described::inserted))
            return std::tuple<decltype(column.bind(entity))>(column.bind(entity));
        else
            return std::tuple<>();
    };
    return std::apply(
        [&](const auto&... column) { return std::tuple_cat(bind(column)...); },
        table_of<Entity>.columns);
}

// Call inside write().
template <class Entity> void insert(Database& db, const Entity& entity) {
    std::apply(
        [&](const auto&... bound) { db.run(insert_statement<Entity>, bound...); },
        bindings<List::places>(entity));
}

// in: sql  selects columns<Entity>, and for a view more
template <class Entity, class... Bound>
std::optional<Entity> find_row(Database& db, const char* sql, const Bound&... bound) {
    return db.read([&] {
        std::optional<Entity> found;
        db.query(
            sql, [&](Row& row) { found = read<Entity>(row); }, bound...);
        return found;
    });
}

template <class Entity, class... Bound>
std::vector<Entity> list_rows(Database& db, const char* sql, const Bound&... bound) {
    return db.read([&] {
        std::vector<Entity> found;
        db.query(
            sql, [&](Row& row) { found.push_back(read<Entity>(row)); }, bound...);
        return found;
    });
}

// ---- for transfer.cpp ---------------------------------------------------------------------------

template <class Entity>
inline constexpr auto exported_columns = std::apply(
    [](const auto&... column) {
        return std::array<Column, sizeof...(column)>{
            Column{column.name, column.template kind<Entity>()}...};
    },
    table_of<Entity>.columns);

} // namespace consentgate::store
