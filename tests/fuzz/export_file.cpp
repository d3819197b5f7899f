// The file of an export. The input is its content; it is also tried with a right last line, so
// that what stands behind the digest is reached.
#include "require.h"

#include "app/admin_transfer_file.h"
#include "tests/support/temp_folder.h"

#include "consentgate/core/base/text.h"

#include <optional>

using namespace consentgate;
using namespace consentgate::app::admin;
using tests::require;

namespace {

struct Read {
    std::size_t rows = 0;
    bool complete = false;
};

// Absent when the file is refused.
std::optional<Read> read(const std::string& path) {
    Read all;
    try {
        ExportReader file(path);
        std::size_t table = 0;
        std::string key;
        while (file.next()) {
            const auto record = file.record();
            const auto& known = store::transfer_tables()[file.table()];
            require(
                row_line(known, record) == file.line(), "a row is what would be written for it");
            require(
                all.rows == 0 || file.table() > table ||
                    (file.table() == table && store::key_of(record) > key),
                "rows come in the order of tables and keys");
            table = file.table();
            key = store::key_of(record);
            ++all.rows;
        }
        all.complete = file.complete();
        require(file.tally().all_rows() == all.rows, "rows are counted");
    } catch (const std::runtime_error& error) {
        require(
            std::string(error.what()).starts_with(path + ": "),
            "an error names the file and what is wrong with it");
        return std::nullopt;
    }
    return all;
}

// The text up to its last whole line, with the last line that fits it.
std::string completed(const std::string& text) {
    Tally tally;
    std::string lines;
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos;
         at = end + 1) {
        const auto line = text.substr(at, end + 1 - at);
        tally.add_line(line);
        lines += line;
        for (std::size_t table = 0; table < tally.rows.size(); ++table)
            if (line.starts_with(
                    std::string("{\"table\":\"") + store::transfer_tables()[table].name + "\""))
                ++tally.rows[table];
    }
    return lines + tally.end_line();
}

// An export goes on where it was interrupted, and ends in a whole file.
void look_at_resumed(const tests::TempFolder& folder, const std::string& content) {
    const auto path = folder.file("export");
    const auto schema_version = ExportReader(path).schema_version();
    const auto whole_lines = content.substr(0, content.rfind('\n') + 1);
    {
        ExportWriter writer(path, schema_version);
        writer.finish();
    }
    const auto whole = read(path);
    require(whole && whole->complete, "an export that goes on becomes whole");
    require(
        folder.read("export").starts_with(whole_lines), "an export that goes on keeps its rows");
}

// A row whose values are parts of the input, and which therefore may hold anything.
store::Record made_row(
    const store::Table& table, const std::string& key, const std::vector<std::string>& parts) {
    store::Record record{key};
    for (std::size_t at = 1; at < table.columns.size(); ++at) {
        const auto part = parts.empty() ? std::string() : parts[at % parts.size()];
        // No column has negative numbers; Poco would round those below -2^53.
        const auto number = static_cast<std::int64_t>(std::hash<std::string>()(part) >> 1);
        const bool text = core::valid_utf8(part) && part.find('\0') == std::string::npos;
        switch (table.columns[at].kind) {
        case store::Column::Kind::number:
            record.push_back(part.empty() ? store::Field() : store::Field(number));
            break;
        case store::Column::Kind::text:
            record.push_back(text ? store::Field(part) : store::Field());
            break;
        case store::Column::Kind::bytes:
            record.push_back(part.empty() ? store::Field() : store::Field(part));
            break;
        }
    }
    return record;
}

// Rows that hold anything come out of the file as they went in.
void look_at_rows(const tests::TempFolder& folder, const std::string& content) {
    const auto path = folder.write("made", "");
    const auto parts = core::split(content, '\n');
    std::vector<store::Record> rows;
    {
        ExportWriter writer(path, 1);
        for (auto at = content.size() % 5; at < store::transfer_tables().size(); at += 5)
            for (const auto* key : {"a", "b"}) {
                rows.push_back(made_row(store::transfer_tables()[at], key, parts));
                writer.put(at, rows.back());
            }
        writer.finish();
    }
    ExportReader file(path);
    for (const auto& row : rows)
        require(file.next() && file.record() == row, "a row comes out as it went in");
    require(!file.next() && file.complete(), "the file is whole");
    auto spelled = folder.read("made");
    spelled.insert(spelled.find(",\"", spelled.find("\"row\"")) + 1, " ");
    require(
        !read(folder.write("spelled", completed(spelled.substr(0, spelled.find("{\"end\""))))),
        "a row in another spelling is refused, for a database would give it back in ours");
    if (content.empty()) return;
    auto altered = folder.read("made");
    altered.insert(altered.size() / 2, content);
    require(!read(folder.write("altered", altered)), "nothing can be put into an export");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bool in_memory = ::setenv("TMPDIR", "/dev/shm", 1) == 0;
    require(in_memory, "there is an environment");
    static const tests::TempFolder folder;
    const std::string content(tests::text_of_input(data, size));
    const auto path = folder.write("export", content);
    const auto interrupted = read(path);
    if (interrupted && !interrupted->complete) {
        folder.write("whole", completed(content));
        const auto whole = read(folder.file("whole"));
        require(
            whole && whole->complete && whole->rows == interrupted->rows,
            "the right last line completes a file");
        look_at_resumed(folder, content);
    } else {
        folder.write("whole", completed(content));
        static_cast<void>(read(folder.file("whole")));
    }
    look_at_rows(folder, content);
    return 0;
}
