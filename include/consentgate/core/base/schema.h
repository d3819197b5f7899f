// Whether a program may work on a database that another version may have migrated.
// spec: docs/requirements.md O17
#pragma once

namespace consentgate::core {

// A database as its migrations left it.
struct Schema {
    int version = 0; // 0: there is none
    // The newest migration that no program from before it can work with (its name ends with
    // `_stop`); 0: there is none.
    int last_stop = 0;
};

enum class SchemaFit {
    same,
    older,  // it lacks migrations of this program
    newer,  // a newer version has migrated it, with additions alone: both may use it
    closed, // a newer version has changed it so that this program would do harm
};

// in:   program  the schema that the program was built for
constexpr SchemaFit fit_of(const Schema& schema, int program) {
    if (schema.version < program) return SchemaFit::older;
    if (schema.last_stop > program) return SchemaFit::closed;
    return schema.version > program ? SchemaFit::newer : SchemaFit::same;
}

constexpr bool may_work(SchemaFit fit) { return fit == SchemaFit::same || fit == SchemaFit::newer; }

} // namespace consentgate::core
