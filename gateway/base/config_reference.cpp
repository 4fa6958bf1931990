#include "gateway/base/config_reference.hpp"

#include "gateway/base/config_text.hpp"

namespace concurred::base {

namespace {

constexpr std::size_t largest_value = 65'536;
constexpr std::string_view allowed =
    ", allowed: ${env:NAME}, ${env:NAME:-default}, ${file:PATH}; a literal '${' is written '$${'";

resolved_text failed(std::string fault) {
    return {{}, true, std::move(fault)};
}

resolved_text environment_value(std::string_view reference, const std::map<std::string, std::string>& environment) {
    const std::size_t separator = reference.find(":-");
    const std::string name(reference.substr(0, separator));
    const auto found = environment.find(name);
    if (found != environment.end() && !(found->second.empty() && separator != std::string_view::npos)) {
        return {found->second, true, {}};
    }
    if (separator != std::string_view::npos) {
        return {std::string(reference.substr(separator + 2)), true, {}};
    }
    return failed("environment variable '" + name + "' is not set; give a default with ${env:" + name + ":-default}");
}

resolved_text replacement(std::string_view reference, const std::map<std::string, std::string>& environment,
                          const std::string& folder) {
    if (reference.starts_with("env:") && reference.size() > 4) {
        return environment_value(reference.substr(4), environment);
    }
    if (reference.starts_with("file:") && reference.size() > 5) {
        const std::string path(reference.substr(5));
        resolved_text value = read_value_file(path.front() == '/' || folder.empty() ? path : folder + "/" + path);
        return value.fault.empty() ? value : failed("file '" + path + "' cannot be read: " + value.fault);
    }
    return failed(std::string("has an unknown reference").append(allowed));
}

}  // namespace

resolved_text read_value_file(const std::string& path) {
    file_text content = read_file(path, largest_value);
    if (!content.fault.empty()) {
        return failed(std::move(content.fault));
    }
    trim_line_end(content.text);
    return {std::move(content.text), true, {}};
}

resolved_text resolve_references(std::string_view text, const std::map<std::string, std::string>& environment,
                                 const std::string& folder) {
    resolved_text result;
    while (!text.empty()) {
        const std::size_t begin = text.find("${");
        if (begin == std::string_view::npos) {
            result.text += text;
            break;
        }
        if (begin > 0 && text[begin - 1] == '$') {
            result.text.append(text.substr(0, begin)).append("{");
            text.remove_prefix(begin + 2);
            continue;
        }
        const std::size_t end = text.find('}', begin);
        if (end == std::string_view::npos) {
            return failed(std::string("has a reference without its closing '}'").append(allowed));
        }
        const resolved_text value = replacement(text.substr(begin + 2, end - begin - 2), environment, folder);
        if (!value.fault.empty()) {
            return value;
        }
        result.text.append(text.substr(0, begin)).append(value.text);
        result.has_references = true;
        text.remove_prefix(end + 1);
    }
    return result;
}

}  // namespace concurred::base
