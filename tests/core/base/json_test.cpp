#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

std::string nested(int levels) {
    std::string text = R"({"a":)";
    for (int i = 1; i < levels; ++i) text += "[";
    for (int i = 1; i < levels; ++i) text += "]";
    return text + "}";
}

bool read(const std::string& text) { return parse_json_object(text).has_value(); }

} // namespace

BOOST_AUTO_TEST_SUITE(json)

BOOST_AUTO_TEST_CASE(only_an_object_is_a_document, *label("R13")) {
    BOOST_TEST(read("{}"));
    BOOST_TEST(read(" {\"a\": 1} "));
    for (const auto* bad :
         {"",
          " ",
          "[]",
          "[{}]",
          "1",
          "\"a\"",
          "null",
          "true",
          "{",
          "}",
          "{{{",
          "{\"a\"}",
          "{\"a\":}",
          "{a:1}",
          "{'a':1}",
          "{\"a\":1,}",
          "{\"a\":1}}",
          "{} {}",
          "{}x",
          "{\"a\":01}",
          "{\"a\":nul}",
          "redirect_uris=x"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!read(bad));
    }
}

BOOST_AUTO_TEST_CASE(nul_and_false_utf8_are_refused_even_where_json_would_not_look, *label("R13")) {
    BOOST_TEST(!read(std::string("{\"a\":\"\0\"}", 9)));
    BOOST_TEST(!read("{\"a\":\"\\u0000\"}"));
    BOOST_TEST(!read("{\"a\":\"\xff\"}"));
    BOOST_TEST(!read("{\"a\":\"\xed\xa0\x80\"}"));
    BOOST_TEST(read("{\"a\":\"\xc3\xa9\"}"));
}

BOOST_AUTO_TEST_CASE(an_escaped_half_surrogate_does_not_become_a_text) {
    const auto object = parse_json_object(R"({"a":"\ud800"})");
    BOOST_TEST((!object || valid_utf8(object->text("a").value_or(""))));
    BOOST_TEST(member_of(*json_of(R"({"a":"\ud83d\ude00"})"), "a") == "\U0001F600");
}

BOOST_AUTO_TEST_CASE(thirty_two_levels_are_read_and_one_more_is_refused, *label("R17")) {
    BOOST_TEST(read(nested(32)));
    BOOST_TEST(!read(nested(33)));
    BOOST_TEST(!read(nested(30000)));
    std::string open;
    for (int i = 0; i < 10000; ++i) open += R"({"a":)";
    BOOST_TEST(!read(open));
}

BOOST_AUTO_TEST_CASE(a_member_of_another_type_is_no_text) {
    const auto object = json_of(R"({"a":1,"b":null,"c":true,"d":[],"e":{},"f":"x","g":""})");
    for (const auto* name : {"a", "b", "c", "d", "e", "missing"}) {
        BOOST_TEST_CONTEXT(name) BOOST_TEST(!object->text(name));
    }
    BOOST_TEST(member_of(*object, "f") == "x");
    BOOST_TEST(member_of(*object, "g") == "");
    BOOST_TEST(!object->has("b"));
    BOOST_TEST(!object->has("missing"));
    BOOST_TEST(object->has("d"));
}

BOOST_AUTO_TEST_CASE(an_array_with_anything_but_texts_is_no_list_of_texts) {
    const auto object = json_of(
        R"({"a":["x","y"],"b":[],"c":["x",1],"d":["x",null],"e":[["x"]],"f":"x","g":{},"h":null})");
    BOOST_TEST(array_of(*object, "a") == "x y");
    BOOST_TEST(array_of(*object, "b") == "");
    for (const auto* name : {"c", "d", "e", "f", "g", "h", "missing"}) {
        BOOST_TEST_CONTEXT(name) BOOST_TEST(!object->texts(name));
    }
}

BOOST_AUTO_TEST_CASE(absurd_numbers_do_no_harm) {
    for (const auto* number :
         {"1e999", "-1e999", "99999999999999999999999999", "-99999999999999999999", "1e-999",
          "0.0000000000000000000000000000000001"}) {
        BOOST_TEST_CONTEXT(number)
        BOOST_CHECK_NO_THROW(
            static_cast<void>(parse_json_object(std::string("{\"a\":") + number + "}")));
    }
}

BOOST_AUTO_TEST_CASE(
    a_name_that_comes_again_replaces_the_value_and_keeps_its_place, *label("R13")) {
    const auto object = json_of(R"({"a":1,"b":2,"a":3})");
    BOOST_TEST(json_string(*object) == R"({"a":3,"b":2})");
    BOOST_TEST(json_string(*json_of(R"({"":1,"":2})")) == R"({"":2})");
}

BOOST_AUTO_TEST_CASE(
    members_of_a_large_object_are_found_and_keep_their_order, *label("R13") * label("XD6")) {
    JsonObject object;
    for (int i = 0; i < 9000; ++i) object.set("m" + std::to_string(i * 7 % 9000), i);
    for (int i = 0; i < 9000; i += 3) object.set("m" + std::to_string(i), "again");
    BOOST_TEST(object.size() == 9000U);
    BOOST_TEST(object.members().front().name == "m0");
    BOOST_TEST(object.members()[2].name == "m14");
    BOOST_TEST(object.text("m8997").value() == "again");
    BOOST_TEST(object.integer("m7").value() == 1);
    BOOST_TEST(!object.contains("m9000"));
    const auto copy = object;
    object.set("m7", nullptr);
    BOOST_TEST(copy.integer("m7").value() == 1);
    BOOST_TEST(object.contains("m7"));
    BOOST_TEST(!object.has("m7"));
}

BOOST_AUTO_TEST_CASE(values_are_written_compactly_and_read_back_with_their_types, *label("R13")) {
    const std::string text = R"({"a":null,"b":true,"c":-9223372036854775808,"d":1.5,"e":"a/b",)"
                             R"("f":[1,"x",[],{}],"g":{"h":{"i":false}}})";
    const auto object = json_of(text);
    BOOST_TEST(json_string(*object) == text);
    BOOST_TEST(object->integer("c").value() == INT64_MIN);
    BOOST_TEST(*object->find("d")->number() == 1.5);
    BOOST_TEST(!object->integer("d"));
    BOOST_TEST(object->array("f")->size() == 4U);
    BOOST_TEST(object->object("g")->object("h")->flag("i").value() == false);
    BOOST_TEST(!json_of(R"({"n":18446744073709551615})")->integer("n"));
}

BOOST_AUTO_TEST_CASE(hostile_text_comes_out_of_a_document_as_it_went_in, *label("K29")) {
    for (const auto* text :
         {"</script><script>alert(1)</script>", "\" , \"admin\":true, \"x\":\"", "\\\\\\\"",
          "line\nbreak\ttab", "\u2028\u00e9\U0001F600", "\x1f\x01"}) {
        JsonObject object;
        object.set("a", std::string(text));
        BOOST_TEST_CONTEXT(text) {
            const auto again = parse_json_object(json_string(object));
            BOOST_REQUIRE(again.has_value());
            BOOST_TEST(member_of(*again, "a") == text);
            BOOST_TEST(again->size() == 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(each_character_is_written_so_that_it_is_read_back, *label("V9")) {
    for (int byte = 1; byte < 128; ++byte) {
        const std::string text{'x', static_cast<char>(byte), 'y'};
        for (const auto& written :
             {FlatJson().text("a", text).str(), json_string(JsonObject().set(text, text))}) {
            const auto object = parse_json_object(written);
            BOOST_REQUIRE_MESSAGE(object.has_value(), written);
            BOOST_TEST(object->members().front().value.text()->compare(text) == 0, written);
        }
    }
    BOOST_TEST(FlatJson().text("a", "a\"\\b").str() == R"({"a":"a\"\\b"})");
}

BOOST_AUTO_TEST_CASE(what_is_written_flat_is_read_back_as_it_was, *label("V9")) {
    const std::string odd = "\"quoted\", \\ back\nline\t\x01\x7f</script> \xc3\xa9\xf0\x9f\x94\x91";
    const auto text = FlatJson()
                          .text("a", odd)
                          .number("b", -1800000000123)
                          .flag("c", true)
                          .flag("d", false)
                          .text("e", "")
                          .str();
    const auto object = parse_json_object(text);
    BOOST_REQUIRE(object.has_value());
    BOOST_TEST(member_of(*object, "a") == odd);
    BOOST_TEST(object->integer("b").value() == -1800000000123);
    BOOST_TEST(object->flag("c").value());
    BOOST_TEST(!object->flag("d").value());
    BOOST_TEST(members_of(*object) == "a b c d e");
    BOOST_TEST(FlatJson().str() == "{}");
}

BOOST_AUTO_TEST_SUITE_END()
