#include "consentgate/core/base/form.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(form)

BOOST_AUTO_TEST_CASE(fields_are_decoded_once_with_plus_as_space) {
    const auto form = form_of("a=1+2&b=%2525&%63=x%3Dy&d=p=q");
    BOOST_TEST(text_of(form.get("a")) == "1 2");
    BOOST_TEST(text_of(form.get("b")) == "%25");
    BOOST_TEST(text_of(form.get("c")) == "x=y");
    BOOST_TEST(text_of(form.get("d")) == "p=q");
}

BOOST_AUTO_TEST_CASE(an_empty_value_is_an_absent_one, *label("A12") * label("T5")) {
    const auto form = form_of("a=&b&c=1");
    BOOST_TEST(!form.get("a"));
    BOOST_TEST(!form.get("b"));
    BOOST_TEST(text_of(form.raw("a")) == "");
    BOOST_TEST(form.count("a") == 1U);
    BOOST_TEST(text_of(form.get("c")) == "1");
    BOOST_TEST(!form.get("missing"));
    BOOST_TEST(!form.raw("missing"));
}

BOOST_AUTO_TEST_CASE(names_are_compared_byte_by_byte) {
    const auto form = form_of("Code=1&code%20=2&xcode=3");
    BOOST_TEST(!form.get("code"));
    BOOST_TEST(form.count("code") == 0U);
}

BOOST_AUTO_TEST_CASE(
    a_repeated_field_has_no_value_whichever_way_it_is_repeated,
    *label("A11") * label("T5") * label("K46")) {
    for (const auto* text :
         {"a=1&a=2", "a=1&a=1", "a=1&a=", "a=&a=1", "a=1&%61=2", "a&a", "a=1&b=2&a=3"}) {
        const auto form = form_of(text);
        BOOST_TEST_CONTEXT(text) {
            BOOST_TEST(!form.get("a"));
            BOOST_TEST(!form.raw("a"));
            const auto refused = form.check_not_repeated({"b", "a"});
            BOOST_TEST(code_of(refused) == "invalid_request");
            BOOST_TEST(refused.error().param == "a");
            BOOST_TEST(code_of(form.check_not_repeated({"b", "c"})) == "ok");
        }
    }
    BOOST_TEST(code_of(form_of("a=1&b=1").check_not_repeated({"a", "b"})) == "ok");
}

BOOST_AUTO_TEST_CASE(the_same_value_again_counts_once_where_that_is_asked_for, *label("XE5")) {
    for (const auto* text : {"r=1", "r=1&r=1", "r=1&a=2&r=1&r=%31"}) {
        const auto once = form_of(text).parameter_of_equals("r");
        BOOST_TEST_CONTEXT(text) BOOST_TEST((text_of(once.value) == "1" && once.count == 1));
    }
    for (const auto* text : {"r=1&r=2", "r=1&r=", "r=&r=1"}) {
        const auto more = form_of(text).parameter_of_equals("r");
        BOOST_TEST_CONTEXT(text) BOOST_TEST((!more.value && more.repeated()));
    }
    BOOST_TEST(form_of("a=1").parameter_of_equals("r").count == 0U);
    BOOST_TEST(!form_of("r=&r=").parameter_of_equals("r").value);
}

BOOST_AUTO_TEST_CASE(the_refusal_of_a_repeated_field_names_it_in_plain_ascii, *label("A35")) {
    const auto refused = form_of("%C3%A9%22=1&%C3%A9%22=2").check_not_repeated({"\u00E9\""});
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().param == "   ");
}

BOOST_AUTO_TEST_CASE(all_values_of_a_field_come_in_order) {
    BOOST_TEST(join(form_of("r=2&a=x&r=1&r=").all("r"), "|") == "2|1|");
}

BOOST_AUTO_TEST_CASE(stray_ampersands_are_no_fields) {
    BOOST_TEST(text_of(form_of("&&a=1&&").get("a")) == "1");
    BOOST_TEST(code_of(Form::parse("")) == "ok");
    BOOST_TEST(code_of(Form::parse("&&&&")) == "ok");
    BOOST_TEST(form_of("=1").count("") == 1U);
}

BOOST_AUTO_TEST_CASE(cut_escapes_false_utf8_and_nul_are_refused) {
    for (const auto* bad :
         {"a=%", "a=%4", "a=%zz", "%=1", "a=%FF", "a=%C3", "a=%ED%A0%80", "a=%C0%80", "%FF=1",
          "a=%00", "a%00=1", "a=1&b=%", "a=x%00y"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(code_of(Form::parse(bad)) == "invalid_request");
    }
    BOOST_TEST(code_of(Form::parse("a=\xff")) == "invalid_request");
    BOOST_TEST(code_of(Form::parse(std::string("a=\0", 3))) == "invalid_request");
    BOOST_TEST(text_of(form_of("a=%C3%A9").get("a")) == "\u00E9");
}

BOOST_AUTO_TEST_CASE(a_hundred_fields_are_read_and_one_more_is_refused, *label("R17")) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "f" + std::to_string(i) + "=1&";
    BOOST_TEST(code_of(Form::parse(text)) == "ok");
    BOOST_TEST(code_of(Form::parse(text + "one=more")) == "invalid_request");
}

BOOST_AUTO_TEST_SUITE_END()
