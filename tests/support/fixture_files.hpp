#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::test {

/// A file under tests/fixtures, whole. Fails the running test case when it cannot be read.
[[nodiscard]] std::string fixture(std::string_view name);

/// The text of a file, whole; fails the running test case when it cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

/// Folder of the recordings that are not a part of this repository: `fixtures/third-party` under the folder that the
/// environment variable CONCURRED_SHARED names, by default `../shared`. Empty, with a message, when there is none.
[[nodiscard]] std::filesystem::path third_party_fixtures();

/// The provider streams of the OpenAI family (openai, openrouter, minimax, x-ai): those in the repository and, where
/// present, the third-party ones. `.expected.sse` files, which are answers to clients, are not among them.
[[nodiscard]] std::vector<std::filesystem::path> openai_family_streams();

}  // namespace concurred::test
