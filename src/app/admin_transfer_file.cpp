#include "admin_transfer_file.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"

#include <Poco/Base64Decoder.h>
#include <Poco/Base64Encoder.h>
#include <Poco/Exception.h>
#include <Poco/JSONString.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace consentgate::app::admin {
namespace {

using store::Column;
using store::Field;
using store::Record;
using store::Table;

constexpr int format = 1;
constexpr std::string_view beginning = "{\"consentgate_export\":";
constexpr std::size_t enough_to_write = 1 << 16;

std::string header_line(int schema_version) {
    return std::string(beginning) + std::to_string(format) +
           ",\"schema_version\":" + std::to_string(schema_version) + "}\n";
}

std::string quoted(const std::string& text) { return Poco::toJSON(text, Poco::JSON_WRAP_STRINGS); }

std::string json_of(const Field& field, const Column& column) {
    if (const auto* number = std::get_if<std::int64_t>(&field)) return std::to_string(*number);
    const auto* data = std::get_if<std::string>(&field);
    if (data == nullptr) return "null";
    if (column.kind == Column::Kind::bytes)
        return "{\"base64url\":\"" + core::to_base64url(*data) + "\"}";
    const bool is_text = core::valid_utf8(*data) && data->find('\0') == std::string::npos;
    if (!is_text) throw std::runtime_error(std::string("its ") + column.name + " is not text");
    return quoted(*data);
}

// The beginning of a row's line.
std::string row_start(const Table& table) {
    return std::string("{\"table\":\"") + table.name + "\",\"row\":{";
}

std::string from_base64url(const std::string& text) {
    std::istringstream in(text);
    Poco::Base64Decoder decoder(in, Poco::BASE64_URL_ENCODING | Poco::BASE64_NO_PADDING);
    std::ostringstream out;
    out << decoder.rdbuf();
    return out.str();
}

// out: false when the value is not of this column's kind
bool read_field(const core::Json& value, const Column& column, Field& to) {
    if (value.is_null()) return true;
    if (column.kind == Column::Kind::number) {
        if (value.integer() != nullptr) to = *value.integer();
        return value.integer() != nullptr;
    }
    if (column.kind == Column::Kind::text) {
        if (value.text() != nullptr) to = *value.text();
        return value.text() != nullptr;
    }
    if (value.object() == nullptr) return false;
    const auto text = value.object()->text("base64url");
    if (!text || text->empty()) return false;
    to = from_base64url(*text);
    return true;
}

// out: empty when it is no row of this table
Record record_of(const core::JsonObject& row, const Table& table) {
    Record record;
    for (const auto& column : table.columns) {
        const auto* value = row.find(column.name);
        if (value == nullptr || !read_field(*value, column, record.emplace_back())) return {};
    }
    const auto* key = std::get_if<std::string>(&record.front());
    return key != nullptr && !key->empty() ? record : Record();
}

std::optional<int> number_in(const core::JsonObject& object, const std::string& name) {
    const auto number = object.integer(name);
    if (!number || !std::in_range<int>(*number)) return std::nullopt;
    return static_cast<int>(*number);
}

} // namespace

Tally::Tally()
    : digest(std::make_unique<Poco::Crypto::DigestEngine>("SHA256")),
      rows(store::transfer_tables().size()) {}

void Tally::add_line(const std::string& line) {
    digest->update(line.data(), line.size());
    bytes += line.size();
}

std::uint64_t Tally::all_rows() const {
    return std::accumulate(rows.begin(), rows.end(), std::uint64_t{0});
}

std::string Tally::end_line() const {
    std::string counts;
    for (std::size_t at = 0; at < rows.size(); ++at) {
        counts += std::string(at == 0 ? "\"" : ",\"") + store::transfer_tables()[at].name +
                  "\":" + std::to_string(rows[at]);
    }
    return "{\"end\":true,\"rows\":{" + counts + "},\"sha256\":\"" +
           Poco::DigestEngine::digestToHex(digest->digest()) + "\"}\n";
}

std::string row_line(const Table& table, const Record& record) {
    auto line = row_start(table);
    for (std::size_t at = 0; at < record.size(); ++at) {
        line += std::string(at == 0 ? "\"" : ",\"") + table.columns[at].name +
                "\":" + json_of(record[at], table.columns[at]);
    }
    return line + "}}\n";
}

ExportReader::ExportReader(const std::string& path) : path_(path), in_(path, std::ios::binary) {
    if (!in_) fail(std::strerror(errno));
    read_header();
}

void ExportReader::fail(const std::string& reason) const {
    throw std::runtime_error(path_ + ": " + reason);
}
void ExportReader::damaged() const {
    fail(
        "line " + std::to_string(lines_) +
        " is not as it was written; the file was altered or damaged, export again");
}

// False at the end of the file. A last line without its newline is no line.
bool ExportReader::read_line() {
    if (!std::getline(in_, line_) || in_.eof()) {
        if (in_.bad()) fail("it cannot be read");
        return false;
    }
    line_ += '\n';
    ++lines_;
    return true;
}

// Reads the first bytes before the first line, because a file that is no export may have no lines
// and be large.
void ExportReader::read_header() {
    std::string start(beginning.size(), '\0');
    in_.read(start.data(), static_cast<std::streamsize>(start.size()));
    if (start != beginning) fail("this is no file that consentgate-admin export made");
    in_.clear();
    in_.seekg(0);
    if (!read_line()) fail("this export is not complete: it has no first line");
    const auto header = core::parse_json_object(line_);
    const auto version = header ? number_in(*header, "consentgate_export") : std::nullopt;
    if (version && *version != format) {
        fail(
            "it has format " + std::to_string(*version) + ", this program knows " +
            std::to_string(format) + "; use the consentgate-admin that made it");
    }
    schema_version_ = header ? number_in(*header, "schema_version").value_or(0) : 0;
    if (line_ != header_line(schema_version_)) damaged();
    tally_.add_line(line_);
}

bool ExportReader::next() {
    const auto tables = store::transfer_tables();
    if (complete_ || !read_line()) return false;
    if (line_.starts_with("{\"end\":")) {
        if (line_ != tally_.end_line())
            fail("its last line does not fit the lines before it; the file was altered or "
                 "damaged, export again");
        if (in_.peek() != std::ifstream::traits_type::eof())
            fail("it goes on after its end; the file was altered or damaged, export again");
        complete_ = true;
        return false;
    }
    while (table_ < tables.size() && !line_.starts_with(row_start(tables[table_]))) ++table_;
    if (table_ == tables.size()) damaged();
    tally_.add_line(line_);
    ++tally_.rows[table_];
    return true;
}

Record ExportReader::record() {
    const auto object = core::parse_json_object(line_);
    const auto* row = object ? object->object("row") : nullptr;
    if (row == nullptr) damaged();
    try {
        const auto& table = store::transfer_tables()[table_];
        auto record = record_of(*row, table);
        // A row in another spelling would come back from the database in ours, and not verify.
        if (record.empty() || row_line(table, record) != line_ ||
            (table_ == last_table_ && store::key_of(record) <= last_key_))
            damaged();
        last_table_ = table_;
        last_key_ = store::key_of(record);
        return record;
    } catch (const Poco::Exception&) { // no base64url
        damaged();
    }
}

ExportWriter::Descriptor::~Descriptor() {
    if (ours) ::close(number);
}

ExportWriter::ExportWriter(const std::optional<std::string>& path, int schema_version)
    : name_(path.value_or("standard output")),
      file_{
          path ? ::open(path->c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600) : STDOUT_FILENO,
          path.has_value()} {
    if (file_.number < 0) fail(std::strerror(errno));
    if (path)
        open_file(schema_version);
    else
        put_line(header_line(schema_version));
}

void ExportWriter::fail(const std::string& reason) const {
    throw std::runtime_error(name_ + ": " + reason);
}

void ExportWriter::open_file(int schema_version) {
    struct stat at {};
    if (::fstat(file_.number, &at) != 0) fail(std::strerror(errno));
    if (!S_ISREG(at.st_mode))
        fail("this is no ordinary file; without --to the export goes to standard output");
    if (at.st_uid != ::geteuid())
        fail("it belongs to another user, who could read what is written to it");
    if (::flock(file_.number, LOCK_EX | LOCK_NB) != 0)
        fail("another export is being written to it");
    const auto header = header_line(schema_version);
    const bool goes_on = resume(header, schema_version);
    if (::fchmod(file_.number, 0600) != 0 ||
        ::ftruncate(file_.number, static_cast<off_t>(tally_.bytes)) != 0)
        fail(std::strerror(errno));
    if (::lseek(file_.number, 0, SEEK_END) < 0) fail(std::strerror(errno));
    if (!goes_on) put_line(header);
}

// out: false when the file is empty, or holds a part of the first line: then there is nothing to
//      keep
bool ExportWriter::resume(const std::string& header, int schema_version) {
    std::string start(header.size(), '\0');
    const auto size = ::pread(file_.number, start.data(), start.size(), 0);
    if (size < 0) fail(std::strerror(errno));
    if (static_cast<std::size_t>(size) < header.size() &&
        header.starts_with(start.substr(0, static_cast<std::size_t>(size))))
        return false;
    ExportReader reader(name_);
    if (reader.schema_version() != schema_version)
        fail("the export in it was begun with another schema version; delete the file and export "
             "again");
    while (reader.next()) last_ = reader.record();
    last_table_ = reader.table();
    if (reader.complete())
        fail("there is a complete export in it already; delete the file or name another");
    tally_ = std::move(reader.tally());
    return true;
}

void ExportWriter::put_line(const std::string& line) {
    tally_.add_line(line);
    pending_ += line;
    if (pending_.size() >= enough_to_write) flush();
}

void ExportWriter::put(std::size_t table, const Record& record) {
    const auto& known = store::transfer_tables()[table];
    std::string line;
    try {
        line = row_line(known, record);
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(
            std::string(known.name) + " '" + store::key_of(record) +
            "' cannot be exported: " + error.what());
    }
    put_line(line);
    ++tally_.rows[table];
}

void ExportWriter::flush() {
    for (std::size_t written = 0; written < pending_.size();) {
        const auto count =
            ::write(file_.number, pending_.data() + written, pending_.size() - written);
        if (count < 0 && errno != EINTR) fail(std::strerror(errno));
        if (count > 0) written += static_cast<std::size_t>(count);
    }
    pending_.clear();
}

void ExportWriter::finish() {
    pending_ += tally_.end_line();
    flush();
    if (file_.ours && ::fsync(file_.number) != 0) fail(std::strerror(errno));
}

} // namespace consentgate::app::admin
