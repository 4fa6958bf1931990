#include "gateway/base/config_keys.hpp"
#include "gateway/base/config_parser.hpp"
#include "gateway/base/json_text.hpp"

#include <algorithm>

namespace concurred::base {

namespace {

/// One value that is set, ready to be written.
struct line {
    key_path path;
    std::string value;
    std::string origin;
};

std::vector<line> lines_of(const loaded_config& loaded) {
    config copy = *loaded.values;  // slots point to what may be changed
    std::vector<line> lines;
    for (const config_key& key : keys_of(copy)) {
        if (auto value = literal(key.rule, key.slot)) {
            const auto origin = loaded.origins.find(dotted(key.path));
            lines.push_back({key.path, *std::move(value), origin == loaded.origins.end() ? "default" : origin->second});
        }
    }
    return lines;
}

std::string as_toml(const std::vector<line>& lines) {
    static constexpr std::size_t comment_column = 48;
    std::string out;
    std::string table;
    for (const line& l : lines) {
        const std::span<const std::string> path(l.path);
        if (std::string name = dotted(path.first(path.size() - 1)); name != table) {
            table = std::move(name);
            out.append(out.empty() ? "[" : "\n[").append(table).append("]\n");
        }
        std::string text = dotted(path.last(1)).append(" = ").append(l.value);
        text.resize(std::max(text.size() + 1, comment_column), ' ');
        out.append(text).append("# ");
        for (const char c : l.origin) {
            out += static_cast<unsigned char>(c) < ' ' ? '?' : c;  // a file name may hold anything
        }
        out += '\n';
    }
    return out;
}

std::string as_json(const std::vector<line>& lines) {
    std::string out = "{";
    key_path open;  // the tables that are open
    bool first = true;
    const auto begin_member = [&](const std::string& name) {
        out.append(first ? "\n" : ",\n").append(2 * (open.size() + 1), ' ');
        append_json_text(out, name);
        out += ": ";
        first = true;
    };
    for (const line& l : lines) {
        const std::size_t tables = l.path.size() - 1;
        std::size_t shared = 0;
        while (shared < std::min(open.size(), tables) && open[shared] == l.path[shared]) {
            ++shared;
        }
        while (open.size() > shared) {
            out.append("\n").append(2 * open.size(), ' ').append("}");
            open.pop_back();
            first = false;
        }
        while (open.size() < tables) {
            begin_member(l.path[open.size()]);
            out += '{';
            open.push_back(l.path[open.size()]);
        }
        begin_member(l.path.back());
        out.append("{\"value\": ").append(l.value).append(", \"origin\": ");
        append_json_text(out, l.origin);
        out += '}';
        first = false;
    }
    for (; !open.empty(); open.pop_back()) {
        out.append("\n").append(2 * open.size(), ' ').append("}");
    }
    return out + "\n}\n";
}

}  // namespace

std::string print_config(const loaded_config& loaded, bool json) {
    const std::vector<line> lines = lines_of(loaded);
    return json ? as_json(lines) : as_toml(lines);
}

}  // namespace concurred::base
