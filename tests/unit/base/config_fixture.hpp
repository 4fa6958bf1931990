#pragma once

#include "gateway/base/config_parser.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace concurred::base {

/// A folder of its own for the files of one test; removed at its end.
class temporary_folder {
public:
    temporary_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "concurred-config-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    /// Writes a file and returns its path.
    std::string write(std::string_view name, std::string_view content) const {
        const std::string file = path_ + "/" + std::string(name);
        std::ofstream(file, std::ios::binary) << content;
        return file;
    }

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// Configurations from text, with the folder's name cut off all places.
class config_fixture {
public:
    std::map<std::string, std::string> environment;
    std::vector<std::pair<std::string, std::string>> flags;
    temporary_folder folder;

    [[nodiscard]] std::variant<loaded_config, std::vector<config_problem>> load(std::string_view toml) const {
        return load_config({folder.write("gateway.toml", toml), environment, flags});
    }

    /// The configuration; fails the test with its problems if it has any.
    [[nodiscard]] loaded_config good(std::string_view toml) const {
        auto outcome = load(toml);
        if (const auto* problems = std::get_if<std::vector<config_problem>>(&outcome)) {
            for (const config_problem& problem : *problems) {
                FAIL_CHECK(to_text(problem));
            }
            return {std::make_shared<const config>(), {}, {}};
        }
        return std::get<loaded_config>(std::move(outcome));
    }

    /// The problems as text, one a line; empty if there are none.
    [[nodiscard]] std::string faults(std::string_view toml) const {
        const auto outcome = load(toml);
        std::string text;
        if (const auto* problems = std::get_if<std::vector<config_problem>>(&outcome)) {
            for (const config_problem& problem : *problems) {
                text += to_text(problem) + "\n";
            }
        }
        return without_folder(std::move(text));
    }

    [[nodiscard]] std::string without_folder(std::string text) const {
        const std::string prefix = folder.path() + "/";
        for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
            text.erase(at, prefix.size());
        }
        return text;
    }
};

}  // namespace concurred::base
