#include "consentgate/core/base/text.h"

#include <Poco/Base64Decoder.h>
#include <Poco/Base64Encoder.h>
#include <Poco/Exception.h>
#include <Poco/UTF8Encoding.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

namespace consentgate::core {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool unreserved(char c) { return alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Length in bytes of the UTF-8 sequence that `lead` opens; 0 when it opens none.
std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

// Characters that reorder or hide their neighbours, or begin a line: a client's name must not be
// able to disguise the page.
bool hides_or_reorders(std::string_view sequence) {
    static constexpr std::array<std::string_view, 18> listed{
        "\u061C", "\u200B", "\u200C", "\u200D", "\u200E", "\u200F", "\u2028", "\u2029", "\u202A",
        "\u202B", "\u202C", "\u202D", "\u202E", "\u2066", "\u2067", "\u2068", "\u2069", "\uFEFF"};
    if (sequence.size() == 1)
        return static_cast<unsigned char>(sequence[0]) < 0x20 || sequence[0] == 0x7F;
    if (sequence.size() == 2 && sequence[0] == '\xC2')
        return static_cast<unsigned char>(sequence[1]) < 0xA0; // C1 controls
    return std::find(listed.begin(), listed.end(), sequence) != listed.end();
}

struct CodePoints {
    char32_t first, last;
};

// White space, and characters without a picture of their own.
// spec: Unicode 15, White_Space, Default_Ignorable_Code_Point, the blank braille pattern and the
// fillers
constexpr std::array<CodePoints, 26> without_picture{{
    {0x0000, 0x0020},   {0x007F, 0x00A0},   {0x00AD, 0x00AD},   {0x034F, 0x034F},
    {0x061C, 0x061C},   {0x115F, 0x1160},   {0x1680, 0x1680},   {0x17B4, 0x17B5},
    {0x180B, 0x180F},   {0x2000, 0x200F},   {0x2028, 0x202F},   {0x205F, 0x206F},
    {0x2800, 0x2800},   {0x3000, 0x3000},   {0x3164, 0x3164},   {0xFE00, 0xFE0F},
    {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},   {0xFFFE, 0xFFFF},
    {0x13430, 0x1343F}, {0x16FE4, 0x16FE4}, {0x1BCA0, 0x1BCA3}, {0x1D159, 0x1D159},
    {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
}};

// in: sequence  the bytes of one character
char32_t code_point(std::string_view sequence) {
    const auto lead = static_cast<unsigned char>(sequence[0]);
    const auto bits = sequence.size() == 1   ? lead
                      : sequence.size() == 2 ? lead & 0x1FU
                      : sequence.size() == 3 ? lead & 0x0FU
                                             : lead & 0x07U;
    char32_t code = bits;
    for (const char c : sequence.substr(1))
        code = code << 6 | (static_cast<unsigned char>(c) & 0x3FU);
    return code;
}

} // namespace

std::string to_hex(std::string_view bytes) {
    std::string out(bytes.size() * 2, '0');
    auto at = out.begin();
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        *at++ = hex_digits[byte >> 4];
        *at++ = hex_digits[byte & 15];
    }
    return out;
}

std::string to_base64url(std::string_view bytes) { return to_base64(bytes, Base64::url); }

std::string to_base64(std::string_view bytes, Base64 alphabet) {
    std::ostringstream out;
    Poco::Base64Encoder encoder(
        out, alphabet == Base64::url ? Poco::BASE64_URL_ENCODING | Poco::BASE64_NO_PADDING : 0);
    encoder.rdbuf()->setLineLength(0);
    encoder.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    encoder.close();
    return out.str();
}

std::optional<std::string> from_base64(std::string_view text, Base64 alphabet) {
    std::istringstream in{std::string(text)};
    Poco::Base64Decoder decoder(
        in, alphabet == Base64::url ? Poco::BASE64_URL_ENCODING | Poco::BASE64_NO_PADDING : 0);
    // Poco would pass over white space, and stop at padding.
    const auto digits = text.substr(0, text.find_last_not_of('=') + 1);
    const auto known = [&](char c) {
        return alphanumeric(c) ||
               (alphabet == Base64::url ? c == '-' || c == '_' : c == '+' || c == '/');
    };
    if (!std::all_of(digits.begin(), digits.end(), known) ||
        (alphabet == Base64::url ? digits.size() != text.size() || digits.size() % 4 == 1
                                 : text.size() % 4 != 0))
        return std::nullopt;
    try {
        return std::string(std::istreambuf_iterator<char>(decoder), {});
    } catch (const Poco::Exception&) {
        return std::nullopt;
    }
}

std::string percent_encode(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    for (const char c : text) {
        if (unreserved(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += static_cast<char>(
            hex_digits[byte >> 4] >= 'a' ? hex_digits[byte >> 4] - 32 : hex_digits[byte >> 4]);
        out += static_cast<char>(
            hex_digits[byte & 15] >= 'a' ? hex_digits[byte & 15] - 32 : hex_digits[byte & 15]);
    }
    return out;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    const auto stands_for_itself = [](char c) { return c != '%' && c != '+'; };
    if (std::all_of(text.begin(), text.end(), stands_for_itself)) return std::string(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            if (i + 2 >= text.size()) return std::nullopt;
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    return out;
}

bool valid_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto length = sequence_length(static_cast<unsigned char>(text[i]));
        if (length == 0 || i + length > text.size()) return false;
        const auto* bytes = reinterpret_cast<const unsigned char*>(text.data()) + i;
        if (length > 1 && !Poco::UTF8Encoding::isLegal(bytes, static_cast<int>(length)))
            return false;
        i += length;
    }
    return true;
}

bool has_control(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
        if (byte < 0x20 || byte == 0x7F || (byte == 0xC2 && next >= 0x80 && next < 0xA0))
            return true;
    }
    return false;
}

bool is_base64url(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return alphanumeric(c) || c == '-' || c == '_';
    });
}

bool is_unreserved(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), unreserved);
}

std::string plain_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte > 0x7E || c == '"' || c == '\\') c = ' ';
    }
    return out;
}

std::string display_text(std::string_view text, std::size_t limit) {
    std::string out;
    std::size_t shown = 0;
    for (std::size_t i = 0; i < text.size();) {
        const auto length =
            std::max<std::size_t>(1, sequence_length(static_cast<unsigned char>(text[i])));
        const auto sequence = text.substr(i, length);
        i += length;
        if (hides_or_reorders(sequence)) continue;
        if (shown++ == limit) return out + "\u2026";
        out += sequence;
    }
    return out;
}

bool has_visible(std::string_view utf8) {
    while (!utf8.empty()) {
        const auto length =
            std::max<std::size_t>(1, sequence_length(static_cast<unsigned char>(utf8[0])));
        const auto code = code_point(utf8.substr(0, length));
        const bool hidden = std::any_of(
            without_picture.begin(), without_picture.end(),
            [&](const CodePoints& range) { return range.first <= code && code <= range.last; });
        if (!hidden) return true;
        utf8.remove_prefix(std::min(length, utf8.size()));
    }
    return false;
}

std::size_t count_characters(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

std::string_view without_byte_order_mark(std::string_view text) {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n\f\v";
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string lower_ascii(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

bool same_ignoring_case(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
        return lower(a) == lower(b);
    });
}

std::optional<std::int64_t> parse_number(std::string_view digits) {
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    std::int64_t number = 0;
    digits = digits.substr(std::min(digits.find_first_not_of('0'), digits.size() - 1));
    if (digits.size() > 10) return std::int64_t{1} << 40;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const auto end = std::min(text.find(separator), text.size());
        if (end > 0) parts.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string out;
    for (const auto& part : parts) {
        if (!out.empty()) out += separator;
        out += part;
    }
    return out;
}

} // namespace consentgate::core
