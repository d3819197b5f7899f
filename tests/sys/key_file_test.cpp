#include "consentgate/sys/key_file.h"

#include "tests/support/child.h"
#include "tests/support/counting_random.h"
#include "tests/support/samples.h"
#include "tests/support/temp_folder.h"

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const std::string key_text(43, 'A'); // 32 zero bytes

int mode_of(const std::string& path) {
    struct stat at {};
    return ::stat(path.c_str(), &at) == 0 ? static_cast<int>(at.st_mode & 07777) : -1;
}

// Returns the error of reading the file; "ok" when it can be read.
std::string reading(const std::string& path) {
    try {
        sys::read_key_file(path);
        return "ok";
    } catch (const std::runtime_error& error) {
        return error.what();
    }
}

// The ids of the keys in the file's order, blanks between.
std::string ids(const std::string& path) {
    std::string all;
    const auto keyring = sys::read_key_file(path);
    for (const auto& key : keyring.keys()) all += (all.empty() ? "" : " ") + key.id.text;
    return all;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(key_file)

BOOST_AUTO_TEST_CASE(a_made_key_file_is_private_and_can_be_read, *label("S12")) {
    const TempFolder folder;
    CountingRandom random;
    BOOST_TEST(sys::create_key_file(folder.file("k"), random));
    BOOST_TEST(mode_of(folder.file("k")) == 0600);
    const auto keyring = sys::read_key_file(folder.file("k"));
    BOOST_TEST(keyring.keys().size() == 1U);
    BOOST_TEST(keyring.keys().front().bytes.reveal().size() == 32U);
    BOOST_TEST(keyring.newest().text.starts_with("k"));
}

BOOST_AUTO_TEST_CASE(an_existing_key_file_is_never_replaced, *label("S12")) {
    const TempFolder folder;
    CountingRandom random;
    sys::create_key_file(folder.file("k"), random);
    const auto before = folder.read("k");
    BOOST_TEST(!sys::create_key_file(folder.file("k"), random));
    BOOST_TEST(folder.read("k") == before);
    folder.write("empty", "");
    BOOST_TEST(!sys::create_key_file(folder.file("empty"), random));
    BOOST_TEST(folder.read("empty") == "");
}

BOOST_AUTO_TEST_CASE(of_many_that_make_it_at_once_one_does_and_no_draft_is_left, *label("S12")) {
    const TempFolder folder;
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
        children.push_back(start_child([&] {
            sys::OsRandom random;
            return sys::create_key_file(folder.file("k"), random) ? 1 : 0;
        }));
    }
    int made = 0;
    for (const auto child : children) {
        const int status = end_of(child);
        BOOST_REQUIRE((status == 0 || status == 1));
        made += status;
    }
    BOOST_TEST(made == 1);
    BOOST_TEST(reading(folder.file("k")) == "ok");
    const auto files = std::distance(
        std::filesystem::directory_iterator(std::filesystem::path(folder.file("k")).parent_path()),
        {});
    BOOST_TEST(files == 1);
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_written_is_named, *label("S12")) {
    const TempFolder folder;
    CountingRandom random;
    BOOST_CHECK_EXCEPTION(
        sys::create_key_file(folder.file("missing/k"), random), std::runtime_error,
        [&](const auto& error) { return contains(error.what(), folder.file("missing/k")); });
}

BOOST_AUTO_TEST_CASE(a_key_file_that_others_may_read_is_refused, *label("S12")) {
    const TempFolder folder;
    for (const int mode : {0600, 0400}) {
        BOOST_TEST_CONTEXT(mode)
        BOOST_TEST(
            reading(folder.write("good" + std::to_string(mode), "k1 " + key_text + "\n", mode)) ==
            "ok");
    }
    for (const int mode : {0644, 0640, 0604, 0660, 0602, 0610, 0601, 0777}) {
        const auto said =
            reading(folder.write("bad" + std::to_string(mode), "k1 " + key_text + "\n", mode));
        BOOST_TEST_CONTEXT(mode << ": " << said) BOOST_TEST(contains(said, "chmod 600"));
    }
}

BOOST_AUTO_TEST_CASE(keys_are_read_oldest_first_past_comments_and_blank_lines, *label("S12")) {
    const TempFolder folder;
    const auto path = folder.write(
        "k", "# comment\n\nold " + key_text + "\n# between\nnew " + std::string(42, '_') + "8\n");
    const auto keyring = sys::read_key_file(path);
    BOOST_TEST(keyring.keys().size() == 2U);
    BOOST_TEST(keyring.newest().text == "new");
    BOOST_TEST(keyring.keys().front().bytes.reveal() == std::string(32, '\0'));
    BOOST_TEST(keyring.keys().back().bytes.reveal() == std::string(32, '\xff'));
}

BOOST_AUTO_TEST_CASE(
    a_key_file_that_is_cut_or_changed_is_refused_without_being_quoted,
    *label("S12") * label("K47")) {
    const TempFolder folder;
    int number = 0;
    const std::string half(42, 'B'); // 31 bytes
    for (const auto& text :
         {std::string(), std::string("# only a comment\n"), std::string("\n\n"),
          std::string("k1\n"), "k1 " + half + "\n", "k1 " + key_text + "AA\n", key_text + "\n",
          "k1 k2 " + key_text + "\n", "k/1 " + key_text + "\n", "k1 " + half + "!\n",
          std::string(65, 'k') + " " + key_text + "\n"}) {
        const auto said = reading(folder.write("k" + std::to_string(number++), text));
        BOOST_TEST_CONTEXT(text << " -> " << said) {
            BOOST_TEST(said != "ok");
            BOOST_TEST(!contains(said, half));
        }
    }
    BOOST_TEST(
        reading(folder.write("longest", std::string(64, 'k') + " " + key_text + "\n")) == "ok");
    BOOST_TEST(contains(reading(folder.file("missing")), folder.file("missing")));
    std::filesystem::create_directory(folder.file("directory"));
    std::filesystem::permissions(folder.file("directory"), std::filesystem::perms::owner_all);
    BOOST_TEST(reading(folder.file("directory")) != "ok");
}

// The most likely mistake of a person who edits the file by hand.
BOOST_AUTO_TEST_CASE(
    a_key_that_stands_where_its_id_should_be_is_not_quoted, *label("S12") * label("K47")) {
    const TempFolder folder;
    const auto said = reading(folder.write("swapped", key_text + " k1\n"));
    BOOST_TEST(contains(said, "key number 1"));
    BOOST_TEST(!contains(said, key_text));
}

BOOST_AUTO_TEST_CASE(a_key_file_with_one_id_twice_is_refused, *label("S12")) {
    const TempFolder folder;
    BOOST_TEST(contains(
        reading(folder.write("twice", "k1 " + key_text + "\nk1 " + key_text + "\n")),
        "key number 2"));
    BOOST_TEST(reading(folder.write("once", "k1 " + key_text + "\nk2 " + key_text + "\n")) == "ok");
}

BOOST_AUTO_TEST_CASE(an_added_key_stands_before_the_last_and_what_was_there_stays, *label("S12")) {
    const TempFolder folder;
    CountingRandom random;
    const auto path =
        folder.write("k", "# mine\nk1 " + key_text + "\n# between\nk2 " + key_text + "\n", 0400);
    const auto added = sys::add_key(path, random);
    BOOST_TEST(ids(path) == "k1 " + added.text + " k2");
    BOOST_TEST(sys::read_key_file(path).newest().text == "k2");
    BOOST_TEST(mode_of(path) == 0400);
    BOOST_TEST(folder.read("k").starts_with("# mine\nk1 " + key_text + "\n# between\n"));
    const auto second = sys::add_key(path, random);
    BOOST_TEST(ids(path) == "k1 " + added.text + " " + second.text + " k2");
    const auto keyring = sys::read_key_file(path);
    BOOST_TEST((keyring.keys()[1].bytes.reveal() != keyring.keys()[2].bytes.reveal()));
}

BOOST_AUTO_TEST_CASE(a_key_is_moved_to_the_end_to_be_used, *label("S12")) {
    const TempFolder folder;
    CountingRandom random;
    const auto path = folder.write("k", "k1 " + key_text);
    const auto added = sys::add_key(path, random);
    sys::use_key(path, added);
    BOOST_TEST(ids(path) == "k1 " + added.text);
    sys::use_key(path, added); // again
    BOOST_TEST(ids(path) == "k1 " + added.text);
    BOOST_CHECK_THROW(sys::use_key(path, core::KeyId("k3")), std::runtime_error);
    BOOST_CHECK_THROW(sys::use_key(path, core::KeyId()), std::runtime_error);
    BOOST_TEST(folder.read("k").ends_with("\n"));
}

BOOST_AUTO_TEST_CASE(any_key_but_the_last_is_removed, *label("S12")) {
    const TempFolder folder;
    const auto path =
        folder.write("k", "k1 " + key_text + "\n# of k2\nk2 " + key_text + "\n# the end\n");
    BOOST_CHECK_THROW(sys::remove_key(path, core::KeyId("k2")), std::runtime_error);
    sys::remove_key(path, core::KeyId("k1"));
    sys::remove_key(path, core::KeyId("k1"));
    BOOST_TEST(folder.read("k") == "# of k2\nk2 " + key_text + "\n# the end\n");
    BOOST_CHECK_THROW(sys::remove_key(path, core::KeyId("k2")), std::runtime_error);
    BOOST_TEST(mode_of(path) == 0600);
}

BOOST_AUTO_TEST_CASE(a_change_goes_through_a_link_and_leaves_no_draft, *label("S12")) {
    const TempFolder folder;
    CountingRandom random;
    const auto path = folder.write("real", "k1 " + key_text + "\n");
    folder.write("real.new", "of one that was killed");
    std::filesystem::create_symlink(path, folder.file("link"));
    const auto added = sys::add_key(folder.file("link"), random);
    BOOST_TEST(std::filesystem::is_symlink(folder.file("link")));
    BOOST_TEST(ids(path) == added.text + " k1");
    BOOST_TEST(!std::filesystem::exists(folder.file("real.new")));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_key_file_is_not_changed, *label("S12")) {
    const TempFolder folder;
    CountingRandom random;
    for (const auto& [text, mode] :
         {std::pair(std::string("k1 short\n"), 0600), std::pair("k1 " + key_text + "\n", 0644)}) {
        const auto path = folder.write("k", text, mode);
        BOOST_CHECK_THROW(sys::add_key(path, random), std::runtime_error);
        BOOST_TEST(folder.read("k") == text);
    }
    BOOST_CHECK_EXCEPTION(
        sys::add_key(folder.file("missing"), random), std::runtime_error,
        [&](const auto& error) { return contains(error.what(), folder.file("missing")); });
}

BOOST_AUTO_TEST_CASE(
    of_many_that_change_it_at_once_none_undoes_another_and_it_can_always_be_read, *label("S12")) {
    const TempFolder folder;
    const auto path = folder.write("k", "k1 " + key_text + "\n");
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
        children.push_back(start_child([&] {
            sys::OsRandom random;
            sys::add_key(path, random);
            return reading(path) == "ok" ? 0 : 1;
        }));
    }
    while (!children.empty()) {
        BOOST_TEST(reading(path) == "ok");
        int status = 0;
        const auto ended = ::waitpid(-1, &status, WNOHANG);
        if (ended <= 0) continue;
        BOOST_TEST(status == 0);
        std::erase(children, ended);
    }
    BOOST_TEST(sys::read_key_file(path).keys().size() == 9U);
    BOOST_TEST(sys::read_key_file(path).newest().text == "k1");
}

BOOST_AUTO_TEST_CASE(a_secret_file_is_read_whole_and_only_when_it_is_private, *label("S12")) {
    const TempFolder folder;
    BOOST_TEST(
        sys::read_secret_file(folder.write("s", std::string("a\0b\n", 4))).reveal() ==
        std::string("a\0b\n", 4));
    BOOST_CHECK_THROW(sys::read_secret_file(folder.write("open", "x", 0644)), std::runtime_error);
    BOOST_CHECK_THROW(sys::read_secret_file(folder.file("missing")), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()
