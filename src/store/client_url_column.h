// The column beside the key of a client; private to this module.
#pragma once

#include "columns.h"

namespace consentgate::store {

// The text of a client's id where another column holds only its key; NULL where that is the id
// itself. It stands behind that column.
template <class Get> struct ClientUrlColumn {
    static constexpr bool selected = true, inserted = true, updated = true;
    const char* name;
    Get get;

    template <class Entity> ToBlob bind(const Entity& entity) const {
        const core::ClientId& id = std::invoke(get, entity);
        return to_blob(is_own_key(id) ? std::string_view() : std::string_view(id.text));
    }
    template <class Entity> void read(Row& row, Entity& entity) const {
        std::string url;
        row.read_into(from_blob(url));
        if (!url.empty()) std::invoke(get, entity).text = std::move(url);
    }
    template <class Entity> static constexpr Column::Kind kind() { return Column::Kind::bytes; }
};

template <class Get> constexpr ClientUrlColumn<Get> client_url(Get get) {
    return {"client_url", get};
}

} // namespace consentgate::store
