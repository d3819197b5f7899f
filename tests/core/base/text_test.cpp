#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(text)

// spec: RFC 4648 section 10, with the url alphabet and without padding
BOOST_AUTO_TEST_CASE(base64url_gives_the_vectors_of_rfc4648_without_padding) {
    BOOST_TEST(to_base64url("") == "");
    BOOST_TEST(to_base64url("f") == "Zg");
    BOOST_TEST(to_base64url("fo") == "Zm8");
    BOOST_TEST(to_base64url("foo") == "Zm9v");
    BOOST_TEST(to_base64url("foob") == "Zm9vYg");
    BOOST_TEST(to_base64url("fooba") == "Zm9vYmE");
    BOOST_TEST(to_base64url("foobar") == "Zm9vYmFy");
    BOOST_TEST(to_base64url("\xfb\xff\xfe") == "-__-");
}

BOOST_AUTO_TEST_CASE(base64url_of_a_long_text_has_no_line_break) {
    BOOST_TEST(to_base64url(std::string(300, 'x')).find_first_of("\r\n") == std::string::npos);
    BOOST_TEST(to_base64url(std::string(300, 'x')).size() == 400U);
}

BOOST_AUTO_TEST_CASE(hex_is_lower_case_and_keeps_every_byte) {
    BOOST_TEST(to_hex(std::string("\x00\x0f\xa5\xff", 4)) == "000fa5ff");
}

BOOST_AUTO_TEST_CASE(percent_encoding_leaves_unreserved_characters_and_nothing_else) {
    BOOST_TEST(percent_encode("AZaz09-._~") == "AZaz09-._~");
    BOOST_TEST(percent_encode(" &=+%#/?\"") == "%20%26%3D%2B%25%23%2F%3F%22");
    BOOST_TEST(percent_encode("\xc3\xa9") == "%C3%A9");
}

BOOST_AUTO_TEST_CASE(percent_decoding_undoes_encoding_for_every_byte) {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
    BOOST_TEST((percent_decode(percent_encode(bytes), true) == bytes));
    BOOST_TEST((percent_decode(percent_encode(bytes), false) == bytes));
}

BOOST_AUTO_TEST_CASE(a_cut_or_false_escape_is_refused_wherever_it_stands) {
    for (const auto* bad :
         {"%", "%4", "a%", "a%4", "%zz", "%4g", "%g4", "%%41", "%-1", "%+1", "% 1"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!percent_decode(bad, false));
    }
    BOOST_TEST((percent_decode("%41", false) == "A"));
    BOOST_TEST((percent_decode("x%4a%4A", false) == "xJJ"));
}

BOOST_AUTO_TEST_CASE(a_plus_is_a_space_only_where_forms_say_so) {
    BOOST_TEST((percent_decode("a+b", true) == "a b"));
    BOOST_TEST((percent_decode("a+b", false) == "a+b"));
    BOOST_TEST((percent_decode("a%2Bb", true) == "a+b"));
}

// spec: RFC 3629 section 3: no overlong forms, no surrogates, nothing above U+10FFFF
BOOST_AUTO_TEST_CASE(utf8_is_accepted_up_to_each_edge_and_refused_beyond_it) {
    for (const auto* good :
         {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
          "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "na\xc3\xafve"}) {
        BOOST_TEST_CONTEXT(to_hex(good)) BOOST_TEST(valid_utf8(good));
    }
    for (const auto* bad :
         {"\x80",
          "\xbf",
          "\xc0\x80",
          "\xc1\xbf",
          "\xc2",
          "\xc2\x41",
          "\xe0\x80\x80",
          "\xe0\x9f\xbf",
          "\xe2\x82",
          "\xed\xa0\x80",
          "\xed\xbf\xbf",
          "\xf0\x80\x80\x80",
          "\xf0\x8f\xbf\xbf",
          "\xf4\x90\x80\x80",
          "\xf5\x80\x80\x80",
          "\xfe",
          "\xff",
          "ok\xe2\x82",
          "\xe2\x28\xa1",
          "\xf0\x9f\x98"}) {
        BOOST_TEST_CONTEXT(to_hex(bad)) BOOST_TEST(!valid_utf8(bad));
    }
    BOOST_TEST(valid_utf8(std::string_view("a\0b", 3)));
}

BOOST_AUTO_TEST_CASE(control_characters_are_c0_delete_and_c1) {
    for (int byte = 0; byte < 256; ++byte) {
        BOOST_TEST_CONTEXT(byte)
        BOOST_TEST(
            has_control(std::string(1, static_cast<char>(byte))) == (byte < 0x20 || byte == 0x7F));
    }
    for (const auto* control : {"\u0080", "\u0085", "\u009F", "ok\u0090ok"})
        BOOST_TEST_CONTEXT(to_hex(control)) BOOST_TEST(has_control(control));
    for (const auto* none : {"", "\u00A0", "\u00C2", "\u0180", "\u4E80", "\xc2"})
        BOOST_TEST_CONTEXT(to_hex(none)) BOOST_TEST(!has_control(none));
}

BOOST_AUTO_TEST_CASE(the_alphabets_hold_exactly_their_characters_and_no_empty_text) {
    const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    for (int byte = 0; byte < 256; ++byte) {
        const std::string one(1, static_cast<char>(byte));
        BOOST_TEST_CONTEXT(byte) {
            BOOST_TEST(is_base64url(one) == ((letters + "-_").find(one) != std::string::npos));
            BOOST_TEST(is_unreserved(one) == ((letters + "-._~").find(one) != std::string::npos));
        }
    }
    BOOST_TEST(!is_base64url(""));
    BOOST_TEST(!is_unreserved(""));
}

BOOST_AUTO_TEST_CASE(plain_ascii_keeps_only_what_error_description_may_hold, *label("A35")) {
    for (int byte = 0; byte < 256; ++byte) {
        const auto c = static_cast<char>(byte);
        const bool allowed = byte >= 0x20 && byte <= 0x7E && c != '"' && c != '\\';
        BOOST_TEST_CONTEXT(byte)
        BOOST_TEST(plain_ascii(std::string(1, c)) == std::string(1, allowed ? c : ' '));
    }
}

BOOST_AUTO_TEST_CASE(display_text_drops_what_hides_or_reorders, *label("U6")) {
    BOOST_TEST(display_text("a\u202Eb\u2066c\u200Fd\u061Ce\uFEFFf\u200Bg", 50) == "abcdefg");
    BOOST_TEST(
        display_text(
            "a\tb\nc\rd\x7f"
            "e\u0085f\u009Fg",
            50) == "abcdefg");
    BOOST_TEST(
        display_text("a\u00A0\u00E9\u05D0\u0627\u4E16\U0001F600", 50) ==
        "a\u00A0\u00E9\u05D0\u0627\u4E16\U0001F600");
}

BOOST_AUTO_TEST_CASE(display_text_cuts_by_character_and_says_so, *label("U6")) {
    BOOST_TEST(display_text("abc", 3) == "abc");
    BOOST_TEST(display_text("abcd", 3) == "abc\u2026");
    BOOST_TEST(display_text("\u4E16\u754C\u4EBA\u6C11", 3) == "\u4E16\u754C\u4EBA\u2026");
    BOOST_TEST(display_text("abc\u202E", 3) == "abc"); // what is dropped does not count
    BOOST_TEST(display_text("", 3) == "");
}

BOOST_AUTO_TEST_CASE(characters_are_code_points_not_bytes) {
    BOOST_TEST(count_characters("") == 0U);
    BOOST_TEST(count_characters("a\u00E9\u4E16\U0001F600") == 4U);
}

BOOST_AUTO_TEST_CASE(trim_takes_ascii_blanks_from_both_ends_and_none_from_the_middle) {
    BOOST_TEST(trim(" \t\r\n\f\va b \n") == "a b");
    BOOST_TEST(trim("\u00A0a") == "\u00A0a");
    BOOST_TEST(trim(" \t ") == "");
    BOOST_TEST(trim("") == "");
}

BOOST_AUTO_TEST_CASE(case_is_ignored_for_ascii_letters_only) {
    BOOST_TEST(same_ignoring_case("BeaRER", "bearer"));
    BOOST_TEST(!same_ignoring_case("bearer", "bearer "));
    BOOST_TEST(!same_ignoring_case("\u00C9", "\u00E9"));
    BOOST_TEST(!same_ignoring_case("[", "{"));
    BOOST_TEST(lower_ascii("AZ\u00C9[") == "az\u00C9[");
}

BOOST_AUTO_TEST_CASE(split_leaves_out_empty_parts_and_join_puts_them_together) {
    BOOST_TEST(join(split("a,,b,", ','), "|") == "a|b");
    BOOST_TEST(split("", ',').empty());
    BOOST_TEST(split(",,,", ',').empty());
    BOOST_TEST(join(split("a", ','), "|") == "a");
    BOOST_TEST(join({}, "|") == "");
}

BOOST_AUTO_TEST_CASE(a_text_of_blanks_and_hidden_characters_shows_nothing, *label("XD6")) {
    for (const auto* nothing :
         {"", " ", "\t \n", "\u00A0", "\u200B\u200D", "\u2028\u2029", "\u202E\u202C", "\u00AD",
          "\u2060\uFEFF", "\u3000", "\u3164", "\uFFA0\u115F\u1160", "\u2800", "\uFE0F", "\u180E",
          "\U000E0041\U000E007F", "\U0001D173", "\x7f\u0085"})
        BOOST_TEST_CONTEXT(to_hex(nothing)) BOOST_TEST(!has_visible(nothing));
    for (const auto* something :
         {"x", " x", "\u200Bx", "\u00E9", "\u05D0", "\u4E16", "\U0001F600", "\u2764\uFE0F", "-",
          "\u00AE", "\u3131", "\uAC00"})
        BOOST_TEST_CONTEXT(to_hex(something)) BOOST_TEST(has_visible(something));
}

BOOST_AUTO_TEST_CASE(display_text_is_one_line, *label("XD6") * label("U6")) {
    BOOST_TEST(display_text("a\u2028b\u2029c\nd\u0085e\vf", 50) == "abcdef");
}

BOOST_AUTO_TEST_SUITE_END()
