#include "finalizers.h"

#include <stdexcept>
#include <vector>

namespace consentgate::bench {
namespace {

class OurFinalizer final : public Finalizer {
public:
    explicit OurFinalizer(store::StoreConfig config)
        : store_(store::open_store(std::move(config))) {
        store_->maintenance.schema_version();
    }
    void finalize(const core::Finalization& finalization) override {
        if (store_->flows.finalize(finalization) != store::Applied::yes)
            throw std::runtime_error("our store: the flow was not there");
    }

private:
    std::unique_ptr<store::Store> store_;
};

} // namespace

std::unique_ptr<Finalizer> open_our_finalizer(const store::StoreConfig& config) {
    return std::make_unique<OurFinalizer>(config);
}

void check_step_texts(const store::StoreConfig& config, const core::Finalization& finalization) {
    std::vector<std::string> ours;
    auto listening = config;
    listening.before_statement = [&](std::string_view text) { ours.emplace_back(text); };
    OurFinalizer(listening).finalize(finalization);
    std::vector<std::string> expected{"BEGIN"};
    expected.insert(expected.end(), step_texts.begin(), step_texts.end());
    expected.emplace_back("COMMIT");
    // The statements that read the schema version come first.
    if (ours.size() >= expected.size() &&
        std::equal(expected.rbegin(), expected.rend(), ours.rbegin()))
        return;
    std::string all;
    for (const auto& text : ours) all += "\n  " + text;
    throw std::runtime_error(
        "tests/bench/finalizers.h no longer has the statements of our store, which are now:" + all);
}

} // namespace consentgate::bench
