#include "gateway/base/config_keys.hpp"
#include "gateway/base/json_text.hpp"
#include "gateway/base/near_match.hpp"

#include <algorithm>

namespace concurred::base {

namespace {

constexpr std::string_view prefix = "CONCURRED__";

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

/// A part of a name as a part of a variable: upper case, all separators as '_', none at its ends.
std::string variable_part(std::string_view part) {
    static constexpr std::string_view separators = "-./:*_";
    std::string out;
    for (const char c : part) {
        const bool separator = separators.find(c) != std::string_view::npos;
        if (separator && (out.empty() || out.back() == '_')) {
            continue;  // two underscores would begin the next part
        }
        out += separator ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    while (out.ends_with('_')) {
        out.pop_back();
    }
    return out;
}

key_path split_variable(std::string_view variable) {
    key_path parts;
    while (true) {
        const std::size_t end = variable.find("__");
        parts.push_back(lower_case(variable.substr(0, end)));
        if (end == std::string_view::npos) {
            return parts;
        }
        variable.remove_prefix(end + 2);
    }
}

bool is_bare(std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

}  // namespace

std::string environment_name(const key_path& path) {
    std::string name = "CONCURRED";
    for (const std::string& part : path) {
        name.append("__").append(variable_part(part));
    }
    return name;
}

key_lookup find_environment_key(config& values, std::string_view variable) {
    const key_path path = split_variable(variable.substr(std::min(prefix.size(), variable.size())));
    const std::string wanted = environment_name(path);
    std::vector<std::string> names;
    for (config_key& key : keys_of(values)) {
        names.push_back(environment_name(key.path));
        if (names.back() == wanted) {
            return {key_lookup::kind::scalar, std::move(key), {}};
        }
    }
    if (path.size() == 3 && (path[0] == "providers" || path[0] == "models")) {
        // A name not known yet; looked up in a copy, so that a misspelt key leaves no entry behind.
        config scratch;
        if (find_key(scratch, path).found == key_lookup::kind::scalar) {
            return find_key(values, path);
        }
        static_cast<void>(find_key(scratch, {path[0], path[1]}));
        for (const config_key& key : keys_of(scratch)) {
            names.push_back(environment_name(key.path));
        }
    }
    const std::vector<std::string_view> views(names.begin(), names.end());
    const auto near = nearest(variable, views, 1);
    return {key_lookup::kind::unknown, std::nullopt,
            near.empty() ? "names no key of the configuration; print-config lists them all"
                         : "names no key, " + did_you_mean(near)};
}

std::string dotted(std::span<const std::string> path) {
    std::string name;
    for (const std::string& part : path) {
        name.append(name.empty() ? "" : ".");
        if (is_bare(part)) {
            name.append(part);
        } else {
            append_json_text(name, part);
        }
    }
    return name;
}

key_path parse_dotted(std::string_view text) {
    key_path path;
    while (true) {
        std::string_view part;
        if (text.starts_with('"')) {
            const std::size_t close = text.find('"', 1);
            if (close == std::string_view::npos) {
                return {};
            }
            part = text.substr(1, close - 1);
            text.remove_prefix(close + 1);
        } else {
            part = text.substr(0, text.find('.'));
            if (!is_bare(part)) {
                return {};
            }
            text.remove_prefix(part.size());
        }
        path.emplace_back(part);
        if (text.empty()) {
            return path;
        }
        if (text.front() != '.') {
            return {};
        }
        text.remove_prefix(1);
    }
}

}  // namespace concurred::base
