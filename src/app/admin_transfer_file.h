// The file of an export, line by line. Private to this module.
//
//   {"consentgate_export":1,"schema_version":2}
//   {"table":"client","row":{"id":"cgc_…","name":{"base64url":"…"},"last_used_at":null,…}}      …
//     one line a row
//   {"end":true,"rows":{"client":12,…},"sha256":"…"}          the digest is that of all bytes
//     before this line
//
// Rows come table by table, and in the order of their keys' bytes; every member is there every
// time, in the order of the table's columns. So databases that hold the same give the same file,
// whatever their engine.
#pragma once

#include "consentgate/store/transfer.h"

#include <Poco/Crypto/DigestEngine.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::app::admin {

// The counts and the digest of a file up to some line.
struct Tally {
    Tally();

    void add_line(const std::string& line); // with its newline
    std::uint64_t all_rows() const;
    std::string end_line() const; // that of a file which holds this

    std::unique_ptr<Poco::Crypto::DigestEngine> digest;
    std::vector<std::uint64_t> rows; // of each table
    std::uint64_t bytes = 0;
};

// The line of a row.
std::string row_line(const store::Table& table, const store::Record& record);

// Reads an export from its beginning to its end, or to where it was interrupted. Every function
// throws std::runtime_error that names the file and what is wrong with it.
class ExportReader {
public:
    explicit ExportReader(const std::string& path);

    int schema_version() const { return schema_version_; }

    // Moves to the next row. False at the end line, once its counts and digest are verified, and
    // where an interrupted export stops.
    bool next();
    std::size_t table() const { return table_; } // its place in transfer_tables()
    const std::string& line() const { return line_; }
    // The row in the line. Rows must be read in their order.
    store::Record record();

    bool complete() const { return complete_; } // once next() was false
    Tally& tally() { return tally_; }

private:
    bool read_line();
    void read_header();
    [[noreturn]] void fail(const std::string& reason) const;
    [[noreturn]] void damaged() const;

    std::string path_;
    std::ifstream in_;
    std::uint64_t lines_ = 0;
    std::string line_;
    Tally tally_;
    std::size_t table_ = 0;
    std::size_t last_table_ = 0; // of the last record read, and its key
    std::string last_key_;
    int schema_version_ = 0;
    bool complete_ = false;
};

// Writes an export to standard output, or to a file, mode 0600, where it resumes one that was
// interrupted. Every function throws std::runtime_error that names the file and what is wrong with
// it.
class ExportWriter {
public:
    // in: path  absent: standard output
    ExportWriter(const std::optional<std::string>& path, int schema_version);

    void put(std::size_t table, const store::Record& record);
    void flush(); // the rows put so far are then in the file, whole lines only
    void finish();

    const Tally& tally() const { return tally_; }
    // The last row of the export that is resumed, empty for a new one; and its table.
    const store::Record& last() const { return last_; }
    std::size_t last_table() const { return last_table_; }
    const std::string& name() const { return name_; }

private:
    struct Descriptor {
        int number;
        bool ours; // to close: not standard output
        ~Descriptor();
    };
    void open_file(int schema_version);
    bool resume(const std::string& header, int schema_version);
    void put_line(const std::string& line);
    [[noreturn]] void fail(const std::string& reason) const;

    std::string name_;
    Descriptor file_;
    std::string pending_;
    Tally tally_;
    store::Record last_;
    std::size_t last_table_ = 0;
};

} // namespace consentgate::app::admin
