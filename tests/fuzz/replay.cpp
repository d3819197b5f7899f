// Runs one target over every file of its corpus, and over simple mutations of each: cut at every
// place, one byte changed at every place (of the first 512). Ordinary builds have no fuzzer; this
// keeps what one has found from coming back.
#include "require.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

constexpr std::size_t max_mutated = 512; // bytes
std::size_t runs = 0;

void run(const std::string& text) {
    ++runs;
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

void mutate(const std::string& text) {
    const auto places = std::min(text.size(), max_mutated);
    for (std::size_t at = 0; at < places; ++at) {
        run(text.substr(0, at));
        for (const char byte : {'\0', '%', '"', '\n', '\xff', '&', '='}) {
            auto changed = text;
            changed[at] = byte;
            run(changed);
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    std::size_t files = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& file : std::filesystem::directory_iterator(argv[i])) {
            std::ifstream in(file.path(), std::ios::binary);
            const std::string text((std::istreambuf_iterator<char>(in)), {});
            run(text);
            mutate(text);
            ++files;
        }
    }
    run("");
    std::cout << runs << " inputs from " << files << " files\n";
    return files == 0 ? 1 : 0; // a corpus that is not found is no success
}
