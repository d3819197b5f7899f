// Takes configuration files of web servers apart into their statements.
#include "consentgate/app/front_config.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace consentgate::app {
namespace {

constexpr int max_depth = 16;            // of includes
constexpr std::size_t max_lines = 50000; // a bound, so that files that include each other end

std::string folder_of(const std::string& file) {
    const auto slash = file.rfind('/');
    return slash == std::string::npos ? "." : file.substr(0, slash);
}

// One blank for any white space.
std::string plain(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!blank)
            out += c;
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
    while (out.ends_with(' ')) out.pop_back();
    return out;
}

class Reader {
public:
    Reader(FrontKind kind, const std::string& file, const ConfigSource& source)
        : kind_(kind), root_(folder_of(file)), source_(source) {
        read(file);
    }
    std::vector<ConfigLine> lines;

private:
    void read(const std::string& file) {
        const auto text = source_.read(file);
        if (!text || depth_ >= max_depth) return;
        ++depth_;
        if (kind_ == FrontKind::apache)
            read_lines(file, *text);
        else
            read_statements(file, *text);
        --depth_;
    }

    // Apache's: a statement is a line, and a block begins and ends with one.
    void read_lines(const std::string& file, const std::string& text) {
        std::string whole;
        std::size_t number = 0, begun = 0;
        for (std::size_t at = 0; at < text.size();) {
            const auto line_end = std::min(text.find('\n', at), text.size());
            auto line = text.substr(at, line_end - at);
            at = line_end + 1;
            ++number;
            if (whole.empty()) begun = number;
            const bool goes_on = line.ends_with('\\');
            if (goes_on) line.pop_back();
            whole += line + " ";
            if (goes_on) continue;
            const auto statement = plain(whole);
            whole.clear();
            if (statement.empty() || statement[0] == '#') continue;
            if (statement.starts_with("</"))
                close();
            else if (statement[0] == '<')
                open(file, begun, statement.substr(1, statement.rfind('>') - 1));
            else
                add(file, begun, statement);
        }
    }

    // nginx's and lighttpd's: blocks are in braces; a statement ends with ; or with the line, if no
    // list is open.
    void read_statements(const std::string& file, const std::string& text) {
        std::string statement;
        std::size_t number = 1, begun = 1;
        int lists = 0;
        char quote = 0;
        const auto end = [&] {
            const auto said = plain(statement);
            statement.clear();
            if (!said.empty()) add(file, begun, said);
        };
        for (std::size_t at = 0; at < text.size(); ++at) {
            const char c = text[at];
            if (c == '\n') ++number;
            if (quote == 0 && c == '#' && starts_comment(text, at)) {
                at = std::min(text.find('\n', at), text.size()) - 1;
                continue;
            }
            if (plain(statement).empty()) begun = number;
            if (quote != 0 || c == '"' || c == '\'') {
                quote = quote == 0 ? c : c == quote && text[at - 1] != '\\' ? '\0' : quote;
                statement += c;
                continue;
            }
            if (kind_ == FrontKind::lighttpd) lists += c == '(' ? 1 : c == ')' ? -1 : 0;
            const bool by_line = kind_ == FrontKind::lighttpd && c == '\n' && lists <= 0;
            if (c == '{' && lists <= 0 && !statement.ends_with('$')) {
                const auto said = plain(statement);
                statement.clear();
                open(file, begun, said);
            } else if (c == '}' && lists <= 0 && !inside_variable(statement)) {
                end();
                close();
            } else if (by_line || (kind_ == FrontKind::nginx && c == ';'))
                end();
            else
                statement += c;
        }
        end();
    }

    static bool starts_comment(const std::string& text, std::size_t at) {
        return at == 0 || text[at - 1] == ' ' || text[at - 1] == '\t' || text[at - 1] == '\n' ||
               text[at - 1] == ';' || text[at - 1] == '{' || text[at - 1] == '}';
    }
    static bool inside_variable(const std::string& statement) {
        const auto brace = statement.rfind("${");
        return brace != std::string::npos && statement.find('}', brace) == std::string::npos;
    }

    void open(const std::string& file, std::size_t number, const std::string& text) {
        push(file, number, text); // so that a block itself can be named
        blocks_.push_back({text, next_block_++});
    }
    void close() {
        if (!blocks_.empty()) blocks_.pop_back();
    }
    void push(const std::string& file, std::size_t number, const std::string& text) {
        if (lines.size() < max_lines) lines.push_back({file, number, text, blocks_});
    }

    void add(const std::string& file, std::size_t number, const std::string& text) {
        push(file, number, text);
        if (kind_ == FrontKind::lighttpd && text.starts_with("var.")) remember(text);
        const auto blank = text.find(' ');
        const auto word = core::lower_ascii(text.substr(0, blank));
        if (blank == std::string::npos) return;
        if (word != "include" && word != "includeoptional") return;
        auto name = text.substr(blank + 1);
        std::erase(name, '"');
        for (const auto& [variable, value] : variables_)
            if (name.starts_with(variable + " + ")) name.replace(0, variable.size() + 3, value);
        include(name, folder_of(file));
    }
    // var.name = "value"
    void remember(const std::string& text) {
        const auto value = text.find('"');
        const auto name = text.substr(0, text.find(' '));
        if (value == std::string::npos) return;
        variables_[name] = text.substr(value + 1, text.find('"', value + 1) - value - 1);
    }

    // in: beside  the folder of the file that includes; lighttpd looks there first
    void include(const std::string& name, const std::string& beside) {
        std::vector<std::string> folders{""};
        if (!name.starts_with('/')) folders = {root_ + "/"};
        if (!name.starts_with('/') && kind_ == FrontKind::lighttpd) folders = {beside + "/"};
        for (const auto& folder : folders) {
            if (name.find_first_of("*?") == std::string::npos)
                read(folder + name);
            else
                for (const auto& file : source_.list(folder + name)) read(file);
        }
    }

    FrontKind kind_;
    std::string root_;
    const ConfigSource& source_;
    std::vector<ConfigBlock> blocks_;
    std::map<std::string, std::string> variables_; // lighttpd's
    int next_block_ = 1, depth_ = 0;
};

} // namespace

std::vector<ConfigLine> read_front_config(
    FrontKind kind, const std::string& file, const ConfigSource& source) {
    return std::move(Reader(kind, file, source).lines);
}

FrontKind front_kind_of(const std::string& server) {
    const auto name = core::lower_ascii(server);
    if (name.find("nginx") != std::string::npos) return FrontKind::nginx;
    if (name.find("lighttpd") != std::string::npos) return FrontKind::lighttpd;
    if (name.find("apache") != std::string::npos) return FrontKind::apache;
    return FrontKind::unknown;
}

} // namespace consentgate::app
