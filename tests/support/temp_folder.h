// A folder of its own for one case, gone with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace consentgate::tests {

class TempFolder {
public:
    TempFolder() {
        auto name = (std::filesystem::temp_directory_path() / "consentgate test XXXXXX")
                        .string(); // a blank: paths may have one
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    std::string file(const std::string& name) const { return path_ + "/" + name; }

    // Writes a file and answers its path.
    std::string write(const std::string& name, const std::string& text, int mode = 0600) const {
        std::ofstream(file(name), std::ios::binary) << text;
        std::filesystem::permissions(file(name), static_cast<std::filesystem::perms>(mode));
        return file(name);
    }

    std::string read(const std::string& name) const {
        std::ifstream in(file(name), std::ios::binary);
        std::ostringstream text;
        text << in.rdbuf();
        return text.str();
    }

private:
    std::string path_;
};

} // namespace consentgate::tests
