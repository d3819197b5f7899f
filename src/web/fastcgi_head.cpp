#include "fastcgi_head.h"

#include <optional>
#include <string>

namespace consentgate::web {
namespace {

constexpr std::size_t header_bytes = 8;
constexpr unsigned fastcgi_version = 1, begin_request = 1, params = 4;
constexpr unsigned long_length = 0x80; // the bit of a length that has four bytes

unsigned byte(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}

struct Record {
    unsigned version, type, id;
    std::string_view content;
    std::size_t bytes; // of all of it
};

// Absent when it is not all there.
std::optional<Record> first_record(std::string_view bytes) {
    if (bytes.size() < header_bytes) return std::nullopt;
    const std::size_t length = byte(bytes, 4) << 8 | byte(bytes, 5);
    const auto whole = header_bytes + length + byte(bytes, 6);
    if (bytes.size() < whole) return std::nullopt;
    return Record{
        .version = byte(bytes, 0),
        .type = byte(bytes, 1),
        .id = byte(bytes, 2) << 8 | byte(bytes, 3),
        .content = bytes.substr(header_bytes, length),
        .bytes = whole};
}

// Takes a length from the front. Absent when it is cut off.
std::optional<std::size_t> take_length(std::string_view& pairs) {
    if (pairs.empty()) return std::nullopt;
    std::size_t length = byte(pairs, 0);
    std::size_t size = 1;
    if ((length & long_length) != 0) {
        if (pairs.size() < 4) return std::nullopt;
        length &= ~std::size_t{long_length};
        for (; size < 4; ++size) length = length << 8 | byte(pairs, size);
    }
    pairs.remove_prefix(size);
    return length;
}

// A length that leads out of the pairs makes libfcgi ask for memory that it cannot have.
bool pairs_fit(std::string_view pairs) {
    while (!pairs.empty()) {
        const auto name = take_length(pairs);
        const auto value = name ? take_length(pairs) : std::nullopt;
        if (!value || *name + *value > pairs.size()) return false;
        pairs.remove_prefix(*name + *value);
    }
    return true;
}

// The pairs of all records of parameters. Web servers nearly always send one, which is not copied.
class Pairs {
public:
    void add(std::string_view content) {
        if (first_.empty()) {
            first_ = content;
            return;
        }
        if (joined_.empty()) joined_ = first_;
        joined_ += content;
    }
    bool fit() const { return pairs_fit(joined_.empty() ? first_ : joined_); }

private:
    std::string_view first_;
    std::string joined_;
};

// A record may show before all of it is there that it does not belong here.
// in: id  of the request; absent at its first record
bool may_begin(std::string_view bytes, std::optional<unsigned> id) {
    if (!bytes.empty() && byte(bytes, 0) != fastcgi_version) return false;
    if (bytes.size() > 1 && byte(bytes, 1) != (id ? params : begin_request)) return false;
    return true;
}

} // namespace

Head look_at_head(std::string_view bytes) {
    const auto not_all = [&] {
        return bytes.size() < max_fastcgi_head ? Head::incomplete : Head::refused;
    };
    if (!may_begin(bytes, std::nullopt)) return Head::refused;
    const auto begin = first_record(bytes);
    if (!begin) return not_all();
    if (begin->id == 0 || begin->content.size() != header_bytes) return Head::refused;
    Pairs pairs;
    for (auto at = begin->bytes;;) {
        const auto rest = bytes.substr(at);
        if (!may_begin(rest, begin->id)) return Head::refused;
        const auto record = first_record(rest);
        if (!record) return not_all();
        if (record->id != begin->id) return Head::refused;
        at += record->bytes;
        if (at > max_fastcgi_head) return Head::refused;
        if (record->content.empty()) return pairs.fit() ? Head::whole : Head::refused;
        pairs.add(record->content);
    }
}

} // namespace consentgate::web
