#pragma once

#include "gateway/base/config_keys.hpp"
#include "gateway/base/config_parser.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace concurred::base {

/// A table or a value of the file, with its place.
struct file_entry {
    key_path path;
    bool table = false;     ///< a table: `value` says nothing
    config_scalar value{};  ///< a `foreign_type` for arrays and dates
    std::uint32_t line = 0;
    std::uint32_t column = 0;      ///< of the value; of the key for tables
    std::uint32_t key_column = 0;  ///< of the key
};

/// What a file holds, in the order of its lines.
struct file_content {
    std::vector<file_entry> entries;
    std::vector<config_problem> problems;  ///< unreadable or not TOML; `entries` is empty then
};

/// Reads a TOML file of at most 1 MiB. Blocking. Problems never repeat what a line with a secret holds.
[[nodiscard]] file_content read_config_file(const std::string& path);

}  // namespace concurred::base
