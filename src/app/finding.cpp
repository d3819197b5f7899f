#include "consentgate/app/finding.h"

#include <algorithm>
#include <initializer_list>

namespace consentgate::app {
namespace {

using enum Cause;

// A web server that answers wrongly at all makes everything of this go wrong.
constexpr bool is_answered(Cause cause) {
    return cause >= configuration && cause <= documents && cause != reachable_past &&
           cause != nobody;
}

struct Explanation {
    Cause first;
    std::initializer_list<Cause> others;
    bool every_answer = false; // all that is_answered(), too
};

const Explanation explanations[] = {
    {key_file,
     {database, files, programs, pages_away, gate_away, configuration, pages_fail, gate_fails,
      refusal, nobody}},
    {database,
     {files, programs, pages_away, gate_away, pages_fail, gate_fails, nobody, configuration,
      reload}},
    {files, {pages_fail, gate_fails}},
    {programs, {pages_away, gate_away}, true},
    {web_server, {certificate}, true},
    {certificate, {web_server}, true},
    {modules, {web_server}, true},
    {pages_away,
     {pages_fail, authorization, body, preflight, mount, open_pages, plain_http, challenge}},
    {gate_away, {gate_fails, challenge, refusal, server_behind}},
    {configuration, {reload, challenge, mount, gate_fails, server_behind}},
    {reload, {challenge, mount, server_behind}},
    {cached, {}, true},
    {open_server, {challenge, names, refusal, authorization}},
    {authorization, {refusal, challenge, server_behind}},
    {pages_fail, {mount}},
    {gate_fails, {challenge, refusal, server_behind}},
};

bool explains(Cause first, Cause second) {
    for (const auto& one : explanations) {
        if (one.first != first) continue;
        return (one.every_answer && second > first && is_answered(second)) ||
               std::find(one.others.begin(), one.others.end(), second) != one.others.end();
    }
    return false;
}

// Two servers that strangers can call are two things to fix; nothing else is. One has its path from
// the web server's files, or its whole URL from ours.
bool is_same(const Finding& first, const Finding& second) {
    if (first.cause != second.cause || first.cause == other) return false;
    if (first.cause == open_server || first.cause == reachable_past || first.cause == reload ||
        first.cause == server_behind)
        return first.path.ends_with(second.path) || second.path.ends_with(first.path);
    return true;
}

} // namespace

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
    case Verdict::ok: return "ok";
    case Verdict::note: return "note";
    case Verdict::broken: return "broken";
    }
    return "";
}

std::vector<Finding> put_in_order(std::vector<Finding> findings) {
    std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
        if (a.verdict != b.verdict) return a.verdict > b.verdict;
        return a.verdict != Verdict::ok && a.cause < b.cause;
    });
    std::vector<Finding> ordered;
    std::vector<bool> taken(findings.size(), false);
    for (std::size_t i = 0; i < findings.size(); ++i) {
        if (taken[i]) continue;
        const auto first = findings[i];
        ordered.push_back(first);
        if (first.verdict != Verdict::broken) continue;
        for (std::size_t j = i + 1; j < findings.size(); ++j) {
            auto& later = findings[j];
            if (taken[j] || later.verdict == Verdict::ok) continue;
            if (!is_same(first, later) && !explains(first.cause, later.cause)) continue;
            taken[j] = later.follows = true;
            ordered.push_back(later);
        }
    }
    return ordered;
}

std::size_t count_causes(const std::vector<Finding>& findings) {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(), [](const Finding& finding) {
            return finding.verdict == Verdict::broken && !finding.follows;
        }));
}

} // namespace consentgate::app
