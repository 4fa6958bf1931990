#include "gateway/base/config_file.hpp"

#include "gateway/base/config_text.hpp"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <tuple>

namespace concurred::base {

namespace {

constexpr std::size_t largest_file = 1u << 20;

std::string position(const std::string& path, std::uint32_t line, std::uint32_t column) {
    return path + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string_view line_of(std::string_view text, std::uint32_t line) {
    for (std::uint32_t i = 1; i < line && !text.empty(); ++i) {
        text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    }
    return text.substr(0, text.find('\n'));
}

bool may_hold_a_secret(std::string_view line) {
    return line.find("_key") != std::string_view::npos;
}

config_scalar scalar_of(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::string:
            return node.as_string()->get();
        case toml::node_type::integer:
            return node.as_integer()->get();
        case toml::node_type::floating_point:
            return node.as_floating_point()->get();
        case toml::node_type::boolean:
            return node.as_boolean()->get();
        case toml::node_type::array:
            return foreign_type{"an array"};
        default:
            return foreign_type{"a date or time"};
    }
}

void collect(const toml::table& table, const key_path& path, std::vector<file_entry>& entries) {
    for (const auto& [key, node] : table) {
        file_entry entry;
        entry.path = path;
        entry.path.emplace_back(key.str());
        entry.table = node.is_table();
        const toml::source_position place = entry.table ? key.source().begin : node.source().begin;
        entry.line = place.line;
        entry.column = place.column;
        entry.key_column = key.source().begin.column;
        if (!entry.table) {
            entry.value = scalar_of(node);
        }
        const key_path inner = entry.path;
        entries.push_back(std::move(entry));
        if (const toml::table* below = node.as_table()) {
            collect(*below, inner, entries);
        }
    }
}

}  // namespace

file_content read_config_file(const std::string& path) {
    file_content content;
    const file_text text = read_file(path, largest_file);
    if (!text.fault.empty()) {
        content.problems.push_back({path, {}, "cannot be read: " + text.fault});
        return content;
    }
    const toml::parse_result parsed = toml::parse(std::string_view(text.text), std::string_view(path));
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        const toml::source_position place = error.source().begin;
        const bool hide = may_hold_a_secret(line_of(text.text, place.line));
        content.problems.push_back({position(path, place.line, place.column),
                                    {},
                                    hide ? std::string("is not TOML: strings are written in quotes")
                                         : std::string("is not TOML: ").append(error.description())});
        return content;
    }
    collect(parsed.table(), {}, content.entries);
    std::stable_sort(content.entries.begin(), content.entries.end(), [](const file_entry& a, const file_entry& b) {
        // A table comes before what it holds, also where an inline table begins at the same place.
        return std::tuple(a.line, a.path.size(), a.column) < std::tuple(b.line, b.path.size(), b.column);
    });
    return content;
}

}  // namespace concurred::base
