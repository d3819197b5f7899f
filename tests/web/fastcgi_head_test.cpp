#include "web/fastcgi_head.h"

#include "tests/support/fastcgi.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using web::Head;

namespace {

const Pairs asked{
    {"REQUEST_METHOD", "GET"}, {"REQUEST_URI", "/mcp"}, {"LONG", std::string(300, 'x')}};
const auto end_of_params = fastcgi_record(RecordType::params, "");

// A head with these bytes in place of its pairs.
std::string with_params(const std::string& content) {
    return begin_record() + fastcgi_record(RecordType::params, content) + end_of_params;
}

bool is(const std::string& bytes, Head expected) { return web::look_at_head(bytes) == expected; }

} // namespace

BOOST_AUTO_TEST_SUITE(fastcgi_head)

BOOST_AUTO_TEST_CASE(a_head_is_whole_exactly_when_its_last_byte_is_there) {
    const auto whole = tests::fastcgi_head(asked);
    for (std::size_t size = 0; size < whole.size(); ++size)
        BOOST_TEST_CONTEXT(size) BOOST_TEST(is(whole.substr(0, size), Head::incomplete));
    BOOST_TEST(is(whole, Head::whole));
    BOOST_TEST(is(whole + fastcgi_record(RecordType::stdin_, "a body"), Head::whole));
    BOOST_TEST(is(tests::fastcgi_head({}), Head::whole));
}

BOOST_AUTO_TEST_CASE(pairs_may_lie_across_records_and_records_may_be_padded) {
    const auto pairs = fastcgi_pairs(asked);
    for (std::size_t cut = 1; cut < pairs.size(); cut += 7) {
        const auto head = begin_record(Role::authorizer) +
                          fastcgi_record(RecordType::params, pairs.substr(0, cut), 5) +
                          fastcgi_record(RecordType::params, pairs.substr(cut), 255) +
                          end_of_params;
        BOOST_TEST_CONTEXT(cut) BOOST_TEST(is(head, Head::whole));
    }
}

BOOST_AUTO_TEST_CASE(a_management_record_is_refused_wherever_it_stands) {
    const auto question =
        fastcgi_record(RecordType::get_values, fastcgi_pair("FCGI_MAX_CONNS", ""), 0, 0);
    BOOST_TEST(is(question, Head::refused));
    BOOST_TEST(is(question.substr(0, 2), Head::refused));
    BOOST_TEST(is(begin_record() + question, Head::refused));
    BOOST_TEST(
        is(begin_record() + fastcgi_record(RecordType::params, fastcgi_pairs(asked)) + question,
           Head::refused));
}

BOOST_AUTO_TEST_CASE(a_length_that_leads_out_of_the_pairs_is_refused) {
    const std::string largest("\xff\xff\xff\xff", 4), two(1, '\2');
    for (const auto& bytes :
         {largest + largest, largest + two + "xyz", two + largest + "xyz", two, two + two + "x",
          largest.substr(0, 3), fastcgi_pair("A", "b") + std::string(1, '\1')})
        BOOST_TEST(is(with_params(bytes), Head::refused));
}

BOOST_AUTO_TEST_CASE(records_of_another_kind_version_or_request_are_refused) {
    const auto params = fastcgi_record(RecordType::params, fastcgi_pairs(asked));
    auto version = tests::fastcgi_head(asked);
    version[0] = '\2';
    BOOST_TEST(is(version, Head::refused));
    BOOST_TEST(is("GET / HTTP/1.1\r\n\r\n", Head::refused));
    BOOST_TEST(is(params + end_of_params, Head::refused));
    BOOST_TEST(is(begin_record() + begin_record(), Head::refused));
    BOOST_TEST(is(begin_record() + fastcgi_record(RecordType::stdin_, ""), Head::refused));
    BOOST_TEST(is(begin_record() + fastcgi_record(RecordType::abort_request, ""), Head::refused));
    BOOST_TEST(is(begin_record() + fastcgi_record(RecordType::params, "", 0, 2), Head::refused));
    BOOST_TEST(
        is(fastcgi_record(RecordType::begin_request, std::string(8, '\1'), 0, 0), Head::refused));
    BOOST_TEST(is(fastcgi_record(RecordType::begin_request, std::string(9, '\1')), Head::refused));
}

BOOST_AUTO_TEST_CASE(a_head_that_does_not_end_is_refused_at_its_limit) {
    auto head = begin_record();
    const auto record =
        fastcgi_record(RecordType::params, fastcgi_pair("A", std::string(30000, 'x')));
    while (head.size() + record.size() < web::max_fastcgi_head) head += record;
    BOOST_TEST(is(head, Head::incomplete));
    BOOST_TEST(is(head + end_of_params, Head::whole));
    BOOST_TEST(is(head + record + end_of_params, Head::refused));
    BOOST_TEST(is(head + record.substr(0, web::max_fastcgi_head - head.size()), Head::refused));
}

BOOST_AUTO_TEST_SUITE_END()
