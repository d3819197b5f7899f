// Modules of a web server that are missing or in the wrong order.
#include "consentgate/app/front_config.h"

#include "front_words.h"

#include <algorithm>
#include <map>

namespace consentgate::app {
namespace {

struct Loaded {
    std::vector<std::string> names; // in the order in which they run
    std::map<std::string, std::string> where, ignored;
};

// lighttpd loads what stands outside of conditions, and nothing else.
Loaded lighttpd_modules(const FrontConfig& config) {
    Loaded loaded;
    for (const auto& line : config.lines) {
        if (!line.text.starts_with("server.modules")) continue;
        const bool counts = line.blocks.empty() || line.blocks.back().text == "global";
        if (counts && line.text.starts_with("server.modules =")) loaded = {};
        for (const auto& word : words_of(line.text)) {
            auto name = word;
            std::erase(name, ',');
            std::erase(name, '(');
            std::erase(name, ')');
            if (!name.starts_with("mod_")) continue;
            if (!counts)
                loaded.ignored.emplace(name, line.where());
            else if (loaded.where.emplace(name, line.where()).second)
                loaded.names.push_back(name);
        }
    }
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
