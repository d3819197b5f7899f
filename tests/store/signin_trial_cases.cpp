// Links of the operator where somebody signs in on trial.
#include "sample.h"

#include "consentgate/core/signin/signin_trial.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

core::SigninTrial put_trial(store::Store& store) {
    core::SigninTrial trial;
    trial.link = fresh_digest();
    trial.idp = core::IdpId("corp");
    trial.key_id = core::KeyId("k1");
    trial.expires_at = noon + core::signin_trial_lifetime;
    store.trials.put(trial);
    return trial;
}

} // namespace

STORE_CASE(a_link_to_try_is_opened_once, "SI9") {
    const auto store = database.open();
    const auto trial = put_trial(*store);
    BOOST_TEST((store->trials.open(fresh_digest(), noon) == Applied::no));
    BOOST_TEST((store->trials.open(trial.link, trial.expires_at) == Applied::no));
    BOOST_TEST((store->trials.open(trial.link, noon) == Applied::yes));
    BOOST_TEST((store->trials.open(trial.link, noon) == Applied::no));
    const auto found = store->trials.find(trial.link);
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST((found->opened_at == noon));
    BOOST_TEST(found->idp.text == "corp");
    BOOST_TEST(found->report.empty());
}

STORE_CASE(a_trial_is_reported_once_and_then_gone, "SI9") {
    const auto store = database.open();
    auto trial = put_trial(*store);
    trial.report = std::string("\0cipher\xff", 8);
    trial.key_id = core::KeyId("k2");
    auto other = trial;
    other.link = fresh_digest();
    BOOST_TEST((store->trials.report(other) == Applied::no));
    BOOST_TEST((store->trials.report(trial) == Applied::yes));
    BOOST_TEST((store->trials.report(trial) == Applied::no));
    const auto found = store->trials.find(trial.link);
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(found->report == trial.report);
    BOOST_TEST(found->key_id.text == "k2");
    BOOST_TEST((store->trials.remove(trial.link) == Applied::yes));
    BOOST_TEST(!store->trials.find(trial.link).has_value());
    BOOST_TEST((store->trials.remove(trial.link) == Applied::no));
}
