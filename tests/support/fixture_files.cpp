#include "tests/support/fixture_files.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace concurred::test {

namespace fs = std::filesystem;

std::string fixture(std::string_view name) {
    return read_file(fs::path("tests/fixtures") / name);
}

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    REQUIRE_MESSAGE(in.good(), "cannot read " << path.string());
    return {std::istreambuf_iterator<char>(in), {}};
}

fs::path third_party_fixtures() {
    const char* const shared = std::getenv("CONCURRED_SHARED");
    const fs::path folder = fs::path(shared != nullptr ? shared : "../shared") / "fixtures/third-party";
    if (!fs::is_directory(folder)) {
        MESSAGE("skipped: no recordings at " << folder.string());
        return {};
    }
    return folder;
}

std::vector<fs::path> openai_family_streams() {
    std::vector<fs::path> found;
    for (const fs::path& root : {fs::path("tests/fixtures"), third_party_fixtures()}) {
        for (const char* provider : {"openai", "openrouter", "minimax", "x-ai"}) {
            if (root.empty() || !fs::is_directory(root / provider)) {
                continue;
            }
            for (const fs::directory_entry& entry : fs::directory_iterator(root / provider)) {
                const std::string name = entry.path().filename().string();
                if (name.ends_with(".sse") && !name.ends_with(".expected.sse")) {
                    found.push_back(entry.path());
                }
            }
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace concurred::test
