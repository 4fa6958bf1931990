#include "bench/mock_check_words.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>

namespace concurred::bench {
namespace {

using kind = mock_mismatch::kind;

std::string figure(double value) {
    return std::floor(value) == value ? std::to_string(static_cast<long long>(value)) : std::to_string(value);
}

std::string article(std::string_view type) {
    const bool vowel = std::string_view("aeio").find(type.front()) != std::string_view::npos;
    return (vowel ? "an " : "a ") + std::string(type);
}

std::string articles(const std::vector<std::string>& types) {
    std::string text;
    for (const auto& type : types) {
        text.append(text.empty() ? "" : " or ").append(type == "null" ? "null" : article(type));
    }
    return text;
}

std::string_view python_type(std::string_view type) noexcept {
    return type == "array" ? "list" : type == "object" ? "dictionary" : type;
}

std::string without_last(const mock_path& path) {
    return bracketed({path.begin(), path.end() - (path.empty() ? 0 : 1)});
}

}  // namespace

mock_failure openai_words(const mock_mismatch& wrong) {
    const std::string place = bracketed(wrong.path);
    const std::string start = "Invalid '" + place + "': ";
    const std::string type = wrong.allowed.empty() ? "" : wrong.allowed.front();
    switch (wrong.what) {
        case kind::unknown:
            return {400, "Unknown parameter: '" + place + "'.", "unknown_parameter", place};
        case kind::missing:
            return {400, "Missing required parameter: '" + place + "'.", "missing_required_parameter", place};
        case kind::type:
            return {400,
                    "Invalid type for '" + place + "': expected " + articles(wrong.allowed) + ", but got " +
                        (wrong.got == "null" ? "null" : article(wrong.got)) + " instead.",
                    "invalid_type", place};
        case kind::value:
        case kind::tag:
            return {400,
                    "Invalid value: '" + wrong.got +
                        "'. Supported values are: " + checks::listed(wrong.allowed, "and") + ".",
                    "invalid_value", place};
        case kind::low:
            return {400,
                    start +
                        (wrong.counted ? type + " too short. Expected a length of at least "
                                       : type + " below minimum value. Expected a value >= ") +
                        figure(wrong.limit) + ", but got " + wrong.got + " instead.",
                    type + (wrong.counted ? "_below_min_length" : "_below_min_value"), place};
        case kind::high:
            break;
    }
    return {400,
            start +
                (wrong.counted ? type + " too long. Expected a length of at most "
                               : type + " above maximum value. Expected a value <= ") +
                figure(wrong.limit) + ", but got " + wrong.got + " instead.",
            type + (wrong.counted ? "_above_max_length" : "_above_max_value"), place};
}

mock_failure anthropic_words(const mock_mismatch& wrong) {
    const std::string start = dotted(wrong.path) + ": ";
    const std::string type(python_type(wrong.allowed.empty() ? "" : wrong.allowed.front()));
    const auto sized = [&](std::string_view comparison, std::string_view length) {
        return wrong.counted
                   ? start + (type == "list" ? "List" : "String") + " should have at " + std::string(length) + " " +
                         figure(wrong.limit) + (type == "list" ? " items" : " characters")
                   : start + "Input should be " + std::string(comparison) + " than or equal to " + figure(wrong.limit);
    };
    switch (wrong.what) {
        case kind::unknown:
            return {400, start + "Extra inputs are not permitted", "", dotted(wrong.path)};
        case kind::missing:
            return {400, start + "Field required", "", dotted(wrong.path)};
        case kind::type:
            return {400, start + "Input should be a valid " + type, "", dotted(wrong.path)};
        case kind::value:
            return {400, start + "Input should be " + checks::listed(wrong.allowed, "or"), "", dotted(wrong.path)};
        case kind::tag:
            return {400,
                    dotted({wrong.path.begin(), wrong.path.end() - 1}) + ": Input tag '" + wrong.got +
                        "' found using 'type' does not match any of the expected tags: " +
                        checks::listed(wrong.allowed, ""),
                    "", dotted(wrong.path)};
        case kind::low:
            return {400, sized("greater", "least"), "", dotted(wrong.path)};
        case kind::high:
            break;
    }
    return {400, sized("less", "most"), "", dotted(wrong.path)};
}

mock_failure gemini_words(const mock_mismatch& wrong) {
    const std::string place = bracketed(wrong.path);
    std::string type = wrong.allowed.empty() ? "" : wrong.allowed.front();
    std::ranges::transform(type, type.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    switch (wrong.what) {
        case kind::unknown: {
            const std::string above = without_last(wrong.path);
            return {400,
                    "Invalid JSON payload received. Unknown name \"" + std::get<std::string>(wrong.path.back()) + "\"" +
                        (above.empty() ? "" : " at '" + above + "'") + ": Cannot find field.",
                    "", above};
        }
        case kind::missing:
            return {400, "* GenerateContentRequest." + place + ": required field is not specified", "", place};
        case kind::value:
        case kind::tag:
            return {400, "Invalid value at '" + place + "' (TYPE_ENUM), \"" + wrong.got + "\"", "", place};
        case kind::low:
        case kind::high:
            return {400,
                    "* GenerateContentRequest." + place + ": the value " + wrong.got + " must be at " +
                        (wrong.what == kind::low ? "least " : "most ") + figure(wrong.limit),
                    "", place};
        case kind::type:
            break;
    }
    return {400, "Invalid value at '" + place + "' (TYPE_" + type + "), got a value of type " + wrong.got, "", place};
}

namespace checks {

std::optional<boost::json::value> parsed(std::string_view body) {
    boost::system::error_code failure;
    boost::json::parse_options options;
    options.max_depth = 512;
    auto value = boost::json::parse(body, failure, {}, options);
    return failure ? std::nullopt : std::optional(std::move(value));
}

const boost::json::value* member(const boost::json::value& value, std::string_view name) noexcept {
    const auto* object = value.if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
}

std::string_view text(const boost::json::value& value, std::string_view name) noexcept {
    const auto* found = member(value, name);
    return found != nullptr && found->is_string() ? std::string_view(found->get_string()) : std::string_view{};
}

const boost::json::array& elements(const boost::json::value& value, std::string_view name) noexcept {
    static const boost::json::array none;
    const auto* found = member(value, name);
    return found != nullptr && found->is_array() ? found->get_array() : none;
}

bool plain_name(std::string_view text, std::size_t longest) noexcept {
    return !text.empty() && text.size() <= longest && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

bool base64(std::string_view text) noexcept {
    const std::size_t end = text.find_last_not_of('=') + 1;
    return !text.empty() && text.size() % 4 == 0 && text.size() - end <= 2 &&
           std::ranges::all_of(text.substr(0, end), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
                      c == '/';
           });
}

bool blank(std::string_view text) noexcept {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::string listed(const std::vector<std::string>& texts, std::string_view last_separator) {
    std::string all;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const bool last = i > 0 && i + 1 == texts.size() && !last_separator.empty();
        all.append(i == 0 ? "" : last ? " " + std::string(last_separator) + " " : ", ");
        all.append("'").append(texts[i]).append("'");
    }
    return all;
}

}  // namespace checks
}  // namespace concurred::bench
