// The tests of web: requests and replies as values, pages from conf/pages, a real SQLite store, no
// socket.
#define BOOST_TEST_MODULE web
#include <boost/test/unit_test.hpp>
