// Modules of a web server that are missing or in the wrong order.
#include "consentgate/app/front_config.h"

#include "front_words.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <map>

namespace consentgate::app {
namespace {

struct Loaded {
    std::vector<std::string> names{}; // in the order in which they run
    std::map<std::string, std::string> where{}, ignored{};

    void add(const std::string& name, const std::string& place) {
        if (where.emplace(name, place).second) names.push_back(name);
    }
};

constexpr std::string_view modules_key = "server.modules";

// `+=` loads more. `=` and `:=` begin anew, with those of before where the line names them:
// `server.modules := ( "mod_fastcgi" ) + server.modules`.
void read_modules(const ConfigLine& line, Loaded& loaded) {
    auto text = line.text.substr(modules_key.size());
    const bool anew = !core::trim(text).starts_with("+=");
    for (char& c : text)
        if (holds("(),+=:", {&c, 1})) c = ' ';
    // lighttpd loads what stands outside of conditions, and nothing else.
    const bool counts = line.blocks.empty() || line.blocks.back().text == "global";
    const auto before = loaded;
    if (counts && anew) loaded.names.clear(), loaded.where.clear();
    for (const auto& name : words_of(text)) {
        if (!counts && name.starts_with("mod_")) loaded.ignored.emplace(name, line.where());
        if (!counts) continue;
        if (name.starts_with("mod_")) loaded.add(name, line.where());
        if (name == modules_key)
            for (const auto& one : before.names) loaded.add(one, before.where.at(one));
    }
}

Loaded lighttpd_modules(const FrontConfig& config) {
    Loaded loaded;
    for (const auto& line : config.lines)
        if (line.text.starts_with(modules_key)) read_modules(line, loaded);
    return loaded;
}

std::vector<Finding> check_lighttpd(const FrontConfig& config) {
    const auto loaded = lighttpd_modules(config);
    const auto place = [&](const char* name) {
        return std::find(loaded.names.begin(), loaded.names.end(), name) - loaded.names.begin();
    };
    const auto count = static_cast<std::ptrdiff_t>(loaded.names.size());
    for (const auto* name : {"mod_fastcgi", "mod_magnet", "mod_proxy"}) {
        if (place(name) < count) continue;
        const auto ignored = loaded.ignored.find(name);
        if (ignored != loaded.ignored.end())
            return {
                {Verdict::broken,
                 "lighttpd ignores server.modules inside of a condition (" + ignored->second +
                     "), so that " + name + " is not there",
                 ignored->second +
                     ": load the modules at the top level, as the first file: "
                     "`include \"/usr/share/consentgate/conf/lighttpd/modules.conf\"`",
                 Cause::modules}};
        return {
            {Verdict::broken, std::string("lighttpd does not load ") + name,
             "`include \"/usr/share/consentgate/conf/lighttpd/modules.conf\"` at the top level, as "
             "the first file; mod_magnet is in the package lighttpd-modules-lua",
             Cause::modules}};
    }
    if (place("mod_fastcgi") < place("mod_proxy")) return {};
    const auto& where = loaded.where.at("mod_proxy");
    return {
        {Verdict::broken,
         "lighttpd runs mod_proxy before mod_fastcgi (" + where + "), so nobody asks the gate",
         where + ": mod_fastcgi before mod_proxy: modules.conf must be included before any other "
                 "file that loads mod_proxy",
         Cause::modules}};
}

std::vector<Finding> check_apache(const FrontConfig& config) {
    std::vector<std::string> there;
    for (const auto& line : config.lines)
        if (line.text.starts_with("LoadModule ")) there.push_back(word_at(words_of(line.text), 1));
    if (there.empty()) return {}; // built in, or not to be read
    std::string missing;
    for (const std::string name :
         {"proxy", "proxy_fcgi", "proxy_http", "authnz_fcgi", "headers", "macro"})
        if (std::find(there.begin(), there.end(), name + "_module") == there.end())
            missing += " " + name;
    if (missing.empty()) return {};
    return {
        {Verdict::broken, "Apache lacks modules:" + missing,
         "a2enmod" + missing + " && systemctl restart apache2", Cause::modules}};
}

std::vector<Finding> check_nginx(const FrontConfig& config) {
    if (!config.gates.empty() || config.passed.empty()) return {};
    for (const auto& line : config.lines)
        if (holds(line.text, "auth_request /_consentgate_gate"))
            return {
                {Verdict::broken,
                 "nginx has protect.conf without gate.conf (" + line.where() +
                     "), so that nobody answers for the gate",
                 "`include consentgate/gate.conf;` in the server block", Cause::modules}};
    return {};
}

} // namespace

std::vector<Finding> check_modules(const FrontConfig& config) {
    if (!config.is_ours()) return {};
    switch (config.kind) {
    case FrontKind::apache: return check_apache(config);
    case FrontKind::nginx: return check_nginx(config);
    case FrontKind::lighttpd: return check_lighttpd(config);
    case FrontKind::unknown: break;
    }
    return {};
}

} // namespace consentgate::app
