#include "near_words.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <numeric>

namespace consentgate::app {
namespace {

constexpr std::size_t most = 3, longest = 100;

// Letters to add, to leave out or to replace; two that changed places count as one mistake (the
// restricted Damerau-Levenshtein distance).
std::size_t mistakes(const std::string& one, const std::string& other) {
    std::vector<std::size_t> before(other.size() + 1), row(before), next(before);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= one.size(); ++i) {
        next[0] = i;
        for (std::size_t j = 1; j <= other.size(); ++j) {
            const std::size_t differs = one[i - 1] == other[j - 1] ? 0 : 1;
            next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + differs});
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                next[j] = std::min(next[j], before[j - 2] + 1);
        }
        before.swap(row);
        row.swap(next);
    }
    return row.back();
}

} // namespace

std::vector<std::string> near_words(
    const std::string& word, const std::vector<std::string>& known) {
    if (word.empty() || word.size() > longest) return {};
    const auto small = core::lower_ascii(word);
    std::vector<std::pair<std::size_t, std::string>> near;
    for (const auto& candidate : known) {
        if (candidate.size() > longest) continue;
        const auto other = core::lower_ascii(candidate);
        const auto beyond = other.starts_with(small) ? std::size_t{1} : longest;
        const auto wrong = std::min(beyond, mistakes(small, other));
        if (wrong <= std::max<std::size_t>(1, small.size() / 3))
            near.emplace_back(wrong, candidate);
    }
    std::stable_sort(near.begin(), near.end(), [](const auto& one, const auto& other) {
        return one.first < other.first;
    });
    std::vector<std::string> words;
    for (std::size_t i = 0; i < std::min(most, near.size()); ++i)
        words.push_back(std::move(near[i].second));
    return words;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
    const auto near = near_words(word, known);
    return near.empty() ? "" : "; did you mean " + core::join(near, " or ") + "?";
}

} // namespace consentgate::app
