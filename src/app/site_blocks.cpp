// Finds the virtual hosts in the site files of each web server: as much of its grammar as says
// where one begins and ends, and what it is called.
#include "site_files.h"

#include "front_words.h"

#include "consentgate/core/base/text.h"

#include <Poco/RegularExpression.h>
#include <Poco/String.h>

#include <algorithm>
#include <utility>

namespace consentgate::app {
namespace {

using Words = std::vector<std::string>;

std::size_t line_number(const std::string& text, std::size_t at) {
    return 1 + static_cast<std::size_t>(
                   std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

// Where a line may be written after text[at - 1] opened a block: on the next line, if nothing but
// a comment stands on this one.
std::size_t after_opening(const std::string& text, std::size_t at) {
    const auto rest = text.find_first_not_of(" \t\r", at);
    if (rest == std::string::npos) return text.size();
    if (text[rest] != '\n' && text[rest] != '#') return at;
    return std::min(text.find('\n', rest), text.size() - 1) + 1;
}

// Where one may be written before text[at] closes the block.
std::size_t before_closing(const std::string& text, std::size_t at) {
    const auto last = at == 0 ? std::string::npos : text.find_last_not_of(" \t", at - 1);
    return last == std::string::npos || text[last] != '\n' ? at : last + 1;
}

// ---- Apache: lines, which a backslash at their end continues ------------------------------------
struct ApacheLine {
    Words words;
    std::size_t begin, end; // in the text; end is after its newline
};

std::vector<ApacheLine> apache_lines(const std::string& text) {
    std::vector<ApacheLine> lines;
    for (std::size_t at = 0; at < text.size();) {
        const auto begin = at;
        std::string line;
        for (bool more = true; more && at < text.size();) {
            const auto newline = std::min(text.find('\n', at), text.size());
            auto part = text.substr(at, newline - at);
            if (part.ends_with('\r')) part.pop_back();
            more = part.ends_with('\\');
            if (more) part.back() = ' ';
            line += part;
            at = std::min(newline + 1, text.size());
        }
        if (auto words = words_of(line); !words.empty() && !words.front().starts_with('#'))
            lines.push_back({std::move(words), begin, at});
    }
    return lines;
}

// `https://tools.example.org:443` names the host between.
std::string host_of(std::string name) {
    if (const auto scheme = name.find("://"); scheme != std::string::npos)
        name.erase(0, scheme + 3);
    if (const auto port = name.find(':'); port != std::string::npos && !name.starts_with('['))
        name.erase(port);
    return name;
}

void read_apache_word(NamedSite& open, const Words& words) {
    const auto word = Poco::toLower(words.front());
    if (word == "servername" && words.size() > 1) open.names.push_back(host_of(words[1]));
    if (word == "serveralias")
        for (std::size_t i = 1; i < words.size(); ++i) open.names.push_back(words[i]);
    if (word == "sslengine" && words.size() > 1)
        open.site.transport = Poco::toLower(words[1]) == "off" ? Transport::plain : Transport::tls;
}

Transport transport_of_ports(const Words& addresses) {
    bool plain = !addresses.empty();
    for (auto address : addresses) {
        if (address.ends_with('>')) address.pop_back();
        if (address.ends_with(":443")) return Transport::tls;
        plain = plain && (address.empty() || address.ends_with(":80"));
    }
    return plain ? Transport::plain : Transport::both;
}

// ---- nginx and lighttpd: braces, strings and comments -------------------------------------------

// Walks over a text of braces, and says what stood before each.
class Blocks {
public:
    explicit Blocks(const std::string& text) : text_(text) {}
    virtual ~Blocks() = default;
    Blocks(const Blocks&) = delete;
    Blocks& operator=(const Blocks&) = delete;

    void walk() {
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '#' && (at_ == 0 || is_blank(text_[at_ - 1])))
                skip_comment();
            else if (c == '"' || c == '\'')
                take_string(c);
            else if (c == '{' && !(at_ > 0 && text_[at_ - 1] == '$'))
                open();
            else if (c == '}' && variable_ == 0)
                close();
            else
                take(c);
        }
    }

protected:
    struct Block {
        std::string head;
        std::size_t opened, inside; // before and after its brace
    };
    virtual void opened() {}
    virtual void closed(const Block& block, std::size_t at) = 0;
    virtual void statement(const std::string&) {}
    std::vector<Block> stack_;
    const std::string& text_;

private:
    static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ';' || c == '{' || c == '}';
    }
    void skip_comment() { at_ = std::min(text_.find('\n', at_), text_.size()) - 1; }
    // A quotation mark inside of a word is a sign like another for nginx.
    void take_string(char quote) {
        const bool begins = head_.empty() || is_blank(head_.back()) || head_.back() == '[' ||
                            head_.back() == '(' || head_.back() == '=' || head_.back() == '~' ||
                            head_.back() == '+' || head_.back() == ',';
        head_.push_back(quote);
        if (!begins) return;
        while (++at_ < text_.size() && text_[at_] != quote) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) head_.push_back(text_[at_++]);
            head_.push_back(text_[at_]);
        }
        head_.push_back(quote);
    }
    void open() {
        stack_.push_back({head_, at_, at_ + 1});
        head_.clear();
        opened();
    }
    void close() {
        if (!Poco::trim(head_).empty()) statement(head_);
        head_.clear();
        if (stack_.empty()) return;
        const auto block = stack_.back();
        stack_.pop_back();
        closed(block, at_);
    }
    void take(char c) {
        if (c == '{') ++variable_; // ${name}
        if (c == '}') --variable_;
        if (c == ';') {
            statement(head_);
            head_.clear();
            return;
        }
        head_.push_back(c);
    }

    std::size_t at_ = 0;
    int variable_ = 0;
    std::string head_;
};

class NginxBlocks : public Blocks {
public:
    using Blocks::Blocks;
    std::vector<NamedSite> sites;

private:
    static Words words(const std::string& text) { return words_of(text); }
    bool in_server() const {
        return !stack_.empty() && words(stack_.back().head) == Words{"server"};
    }
    void opened() override {
        if (in_server()) names_.clear(), tls_ = plain_ = false;
    }
    void statement(const std::string& text) override {
        if (!in_server()) return;
        const auto said = words(text);
        if (said.empty()) return;
        if (said[0] == "server_name") names_.insert(names_.end(), said.begin() + 1, said.end());
        if (said[0] == "ssl" && said.size() > 1 && said[1] == "on") tls_ = true;
        if (said[0] != "listen" || said.size() < 2) return;
        const bool tls = std::any_of(said.begin() + 1, said.end(), [](const auto& word) {
            return word == "ssl" || word == "quic" || word == "443" || word.ends_with(":443");
        });
        (tls ? tls_ : plain_) = true;
    }
    void closed(const Block& block, std::size_t at) override {
        if (words(block.head) != Words{"server"}) return;
        // `server` of stream and mail is no virtual host.
        for (const auto& around : stack_)
            if (const auto said = words(around.head); said != Words{"http"}) return;
        Site site;
        site.begin = after_opening(text_, block.inside);
        site.end = before_closing(text_, at);
        site.line = line_number(text_, block.opened);
        site.transport = tls_ ? Transport::tls : plain_ ? Transport::plain : Transport::both;
        sites.push_back({site, names_});
    }

    Words names_;
    bool tls_ = false, plain_ = false;
};

class LighttpdBlocks : public Blocks {
public:
    using Blocks::Blocks;
    std::vector<NamedSite> sites;

private:
    // The condition before a brace: what is compared, how, and with what.
    static Words condition(const std::string& head) {
        static const Poco::RegularExpression shape(
            R"re(\$(HTTP|SERVER)\s*\[\s*"([a-z]+)"\s*\]\s*)re"
            R"re((==|=~|!=|!~)\s*"((?:[^"\\]|\\.)*)"\s*$)re");
        Words parts;
        shape.split(head, parts);
        return parts.size() == 5 ? Words{parts[2], parts[3], parts[4]} : Words{};
    }
    static Transport transport_of(const Words& condition) {
        if (condition.size() != 3 || condition[1] != "==") return Transport::both;
        if (condition[0] == "scheme")
            return condition[2] == "https" ? Transport::tls : Transport::plain;
        if (condition[0] != "socket") return Transport::both;
        if (condition[2].ends_with(":443")) return Transport::tls;
        return condition[2].ends_with(":80") ? Transport::plain : Transport::both;
    }
    void closed(const Block& block, std::size_t at) override {
        const auto own = condition(block.head);
        if (own.size() != 3 || own[0] != "host" || own[1].front() != '=') return;
        Site site;
        site.begin = after_opening(text_, block.inside);
        site.end = before_closing(text_, at);
        site.line = line_number(text_, block.opened);
        for (const auto& around : stack_)
            if (const auto what = transport_of(condition(around.head)); what != Transport::both)
                site.transport = what;
        sites.push_back({site, {own[1] == "=~" ? "~" + own[2] : own[2]}});
    }
};

} // namespace

std::vector<NamedSite> apache_sites(const std::string& text) {
    std::vector<NamedSite> sites;
    std::optional<NamedSite> open;
    for (const auto& line : apache_lines(text)) {
        const auto word = Poco::toLower(line.words.front());
        if (word == "<virtualhost" || word == "<virtualhost>") {
            open.emplace();
            open->site.begin = line.end;
            open->site.line = line_number(text, line.begin);
            open->site.transport = transport_of_ports({line.words.begin() + 1, line.words.end()});
        } else if (word == "</virtualhost>" && open) {
            open->site.end = line.begin;
            sites.push_back(*std::exchange(open, std::nullopt));
        } else if (open) {
            read_apache_word(*open, line.words);
        }
    }
    return sites;
}

std::vector<NamedSite> nginx_sites(const std::string& text) {
    NginxBlocks blocks(text);
    blocks.walk();
    return blocks.sites;
}

std::vector<NamedSite> lighttpd_sites(const std::string& text) {
    LighttpdBlocks blocks(text);
    blocks.walk();
    return blocks.sites;
}

} // namespace consentgate::app
