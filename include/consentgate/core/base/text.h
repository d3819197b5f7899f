// Encodings and character sets of the RFCs. Pure; nothing throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

std::string to_hex(std::string_view bytes);       // lower case
std::string to_base64url(std::string_view bytes); // RFC 4648 section 5, without padding
enum class Base64 { standard, url }; // RFC 4648 section 4, with padding; section 5, without
std::string to_base64(std::string_view bytes, Base64 alphabet);
// Absent when a character or the length is not of that alphabet.
std::optional<std::string> from_base64(std::string_view text, Base64 alphabet);
std::string percent_encode(std::string_view text); // everything but RFC 3986 unreserved characters

// Decodes %XX and, when `plus_is_space`, '+'. Absent when an escape is cut off or not hexadecimal.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

bool valid_utf8(std::string_view text);
bool has_control(std::string_view text);   // C0, DEL, and C1 (U+0080 to U+009F) as UTF-8
bool is_base64url(std::string_view text);  // alphabet only; empty is false
bool is_unreserved(std::string_view text); // RFC 3986 section 2.3; empty is false

// The text with everything outside the set allowed in error_description (RFC 6749 section 5.2)
// replaced by a space.
std::string plain_ascii(std::string_view text);

// For display: control and bidirectional formatting characters are dropped, the rest is cut to
// `most` characters (code points, not bytes) with an ellipsis. The input must be valid UTF-8.
std::string display_text(std::string_view text, std::size_t limit);

// True when a person would see something: false for a text of blanks, of characters without a
// picture, and of those that display_text drops. The input must be valid UTF-8.
bool has_visible(std::string_view utf8);

std::size_t count_characters(std::string_view utf8); // code points
std::string_view trim(std::string_view text);        // ASCII white space at both ends
// Some programs begin UTF-8 with one.
std::string_view without_byte_order_mark(std::string_view text);
std::string lower_ascii(std::string_view text);
bool same_ignoring_case(std::string_view left, std::string_view right); // ASCII

// Reads digits and nothing else; a number of more than ten digits, larger than any use here, counts
// as 2^40.
std::optional<std::int64_t> parse_number(std::string_view digits);

// The parts between runs of `separator`; empty parts are left out.
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

} // namespace consentgate::core
