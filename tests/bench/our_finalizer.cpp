#include "finalizers.h"

#include <stdexcept>
#include <vector>

namespace consentgate::bench {
namespace {

class OurSettler final : public Finalizer {
public:
    explicit OurSettler(store::StoreConfig config) : store_(store::open_store(std::move(config))) {
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

std::unique_ptr<Finalizer> open_our_settler(const store::StoreConfig& config) {
    return std::make_unique<OurSettler>(config);
}

void check_step_texts(const store::StoreConfig& config, const core::Finalization& finalization) {
    std::vector<std::string> said;
    auto listening = config;
    listening.before_statement = [&](std::string_view text) { said.emplace_back(text); };
    OurSettler(listening).finalize(finalization);
    std::vector<std::string> expected{"BEGIN"};
    expected.insert(expected.end(), step_texts.begin(), step_texts.end());
    expected.emplace_back("COMMIT");
    // The look at the schema comes first.
    if (said.size() >= expected.size() &&
        std::equal(expected.rbegin(), expected.rend(), said.rbegin()))
        return;
    std::string all;
    for (const auto& text : said) all += "\n  " + text;
    throw std::runtime_error(
        "tests/bench/settlers.h no longer has the statements of our store, which are now:" + all);
}

} // namespace consentgate::bench
