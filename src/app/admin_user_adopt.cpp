// Accounts of people whom somebody else signed in before become those of people of an identity
// provider.
// spec: docs/requirements_signin.md SI56
#include "admin_names.h"
#include "admin_progress.h"
#include "admin_users.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/adoption.h"
#include "consentgate/usecase/identity_providers.h"

#include <algorithm>
#include <fstream>
#include <iostream>

namespace consentgate::app::admin {
namespace {

// One adoption, with the names that the operator reads.
struct Named {
    usecase::Adoption adoption;
    std::string from, to;
};

// Somebody may be named before they sign in here for the first time, if by the provider's own id.
// out: absent: the word is of another form, or the provider has an issuer for each tenant
std::optional<core::Identity> not_seen_yet(Context& context, const std::string& word) {
    const auto slash = word.find('/');
    if (slash == word.npos || slash + 1 == word.size()) return std::nullopt;
    const auto idp = usecase::find_idp(context.deps(), core::IdpId(word.substr(0, slash)));
    if (!idp || idp->issuer.find('{') != std::string::npos) return std::nullopt;
    const auto subject = word.substr(slash + 1);
    constexpr std::string_view prefix = "user:";
    return core::person_identity(
        idp->issuer, subject.starts_with(prefix) ? subject.substr(prefix.size()) : subject);
}

Named name_one(Context& context, const std::string& remote_user, const std::string& who) {
    const core::Identity from{core::IdentityKind::verified_user, remote_user};
    if (remote_user.empty() || from.is_person())
        throw UsageError("the name of a person of the web server is missing");
    const auto word = "remote/user:" + remote_user;
    if (const auto person = find_person(context, who))
        return {{from, core::identity_of(*person)}, word, shown_person(*person)};
    if (auto identity = not_seen_yet(context, who))
        return {{from, std::move(*identity)}, word, who + " (has not signed in yet)"};
    const auto person = read_person(context, who); // says what is wrong
    return {{from, core::identity_of(person)}, word, shown_person(person)};
}

// Every line is read before anything is done.
std::vector<Named> read_map(Context& context, const std::string& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error("cannot read " + file);
    std::vector<Named> all;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.ends_with('\r')) line.pop_back();
        if (line.empty() || line.starts_with('#')) continue;
        const auto tab = line.find('\t');
        const auto where = file + ":" + std::to_string(number) + ": ";
        if (tab == line.npos || line.find('\t', tab + 1) != line.npos)
            throw std::runtime_error(where + "a line is NAME, one tab, WHO");
        try {
            all.push_back(name_one(context, line.substr(0, tab), line.substr(tab + 1)));
        } catch (const std::exception& error) {
            throw std::runtime_error(where + error.what());
        }
    }
    for (const auto& one : all)
        if (std::count_if(all.begin(), all.end(), [&](const auto& other) {
                return other.from == one.from;
            }) > 1)
            throw std::runtime_error(file + ": " + one.from + " stands there twice");
    return all;
}

std::vector<Named> module_names(Context& context, const std::string& id) {
    std::vector<Named> all;
    const auto idp = named_idp(context, id);
    for (auto& adoption : usecase::find_module_names(context.deps(), idp)) {
        const auto& to = adoption.to.value; // issuer, line end, subject
        all.push_back(
            {adoption, "remote/user:" + adoption.from.value,
             id + "/" + to.substr(to.find('\n') + 1)});
    }
    return all;
}

// One of several ways was chosen, with what belongs to it.
void check_way(const Arguments& arguments) {
    const bool one = arguments.has("remote-user") && arguments.has("user");
    const bool moved = arguments.has("issuer") && arguments.has("idp");
    const auto given = static_cast<int>(arguments.has("remote-user") || arguments.has("user")) +
                       arguments.has("map") + arguments.has("mod-auth-openidc") +
                       (arguments.has("issuer") || arguments.has("idp"));
    if (given != 1 || !(one || moved || arguments.has("map") || arguments.has("mod-auth-openidc")))
        throw UsageError("user adopt takes --remote-user NAME with --user WHO, or --map FILE, or "
                         "--mod-auth-openidc IDP, or --issuer URL with --idp ID");
}

std::vector<std::string> texts_of(const std::vector<core::ServiceId>& services) {
    std::vector<std::string> texts;
    for (const auto& service : services) texts.push_back(service.text);
    return texts;
}

// The rows that are printed, and what the command says at its end.
struct Report {
    std::vector<Row> rows;
    std::size_t moved = 0, kept = 0;

    void add(const std::string& from, const std::string& to, const usecase::Adopted& adopted) {
        moved += adopted.moved.size();
        kept += adopted.kept.size();
        if (adopted.moved.empty() && adopted.kept.empty() && adopted.sessions == 0) return;
        rows.push_back(
            {Cell(core::display_text(from, 80), from), Cell(core::display_text(to, 80), to),
             list_of(texts_of(adopted.moved), "nothing"),
             list_of(texts_of(adopted.kept), "nothing"), number(adopted.sessions)});
    }
};

void adopt_by_name(Context& context, const Arguments& arguments, bool dry_run, Report& report) {
    std::vector<Named> all;
    if (const auto name = arguments.one("remote-user"))
        all = {name_one(context, *name, *arguments.one("user"))};
    else if (const auto file = arguments.one("map"))
        all = read_map(context, *file);
    else
        all = module_names(context, *arguments.one("mod-auth-openidc"));
    Progress progress("looked at", all.size());
    std::uint64_t done = 0;
    for (const auto& one : all) {
        progress.at(done++, "their accounts move");
        const auto adopted = usecase::adopt(context.key_deps(), one.adoption, dry_run, context.now);
        if (!adopted) throw std::runtime_error(one.from + ": " + adopted.error().message);
        report.add(one.from, one.to, *adopted);
    }
}

void move_people(Context& context, const Arguments& arguments, bool dry_run, Report& report) {
    const auto issuer = *arguments.one("issuer");
    const auto idp = named_idp(context, *arguments.one("idp"));
    if (idp.issuer == issuer)
        throw UsageError("the issuer of " + idp.id.text + " is " + issuer + " now, too");
    const auto people = usecase::list_people_of_issuer(context.deps(), issuer);
    Progress progress("looked at", people.size());
    std::uint64_t done = 0;
    for (const auto& person : people) {
        progress.at(done++, "people and their accounts move");
        const auto adopted =
            usecase::move_to_issuer(context.key_deps(), person, idp, dry_run, context.now);
        const auto from = issuer + " " + person.subject;
        if (!adopted) throw std::runtime_error(from + ": " + adopted.error().message);
        report.add(from, idp.id.text + "/" + person.subject, *adopted);
    }
}

int adopt(Context& context, const Arguments& arguments) {
    check_way(arguments);
    const bool dry_run = arguments.has("dry-run");
    Report report;
    if (arguments.has("issuer"))
        move_people(context, arguments, dry_run, report);
    else
        adopt_by_name(context, arguments, dry_run, report);
    print_rows(arguments, report.rows);
    std::cerr << report.moved << (report.moved == 1 ? " account" : " accounts")
              << (dry_run ? " would move; nothing was changed (--dry-run).\n" : " moved.\n");
    if (report.kept > 0)
        std::cerr << report.kept
                  << " stay where they are: the person has one at that service already.\n";
    return report.kept > 0 ? 1 : 0;
}

} // namespace

Command user_adopt_command() {
    return {
        .name = "user adopt",
        .summary = "give what somebody connected under another name to a person of an identity "
                   "provider; exit status 1: something had to stay",
        .example = "consentgate-admin user adopt --remote-user anna --user corp/248289761001",
        .options =
            {{"remote-user", "NAME", "whom the web server signed in under this name"},
             {"user", "WHO", "the person that they are now"},
             {"map", "FILE", "many of them: in each line NAME, a tab, WHO"},
             {"mod-auth-openidc", "IDP",
              "those whom that module named SUB@ISSUER by itself, at the issuer of this provider"},
             {"issuer", "URL", "people of this issuer, whose provider has another address now"},
             {"idp", "ID", "with --issuer: the provider at its address of now"},
             {"dry-run", "", "say what would move, and change nothing"}},
        .json = {"from", "to", "moved", "kept", "sessions"},
        .run = adopt};
}

} // namespace consentgate::app::admin
