#include "gateway/base/config_value.hpp"

#include "gateway/base/config_text.hpp"
#include "gateway/base/key_list.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace concurred::base {

namespace {

using fault = std::optional<std::string>;

template <class... F>
struct overloaded : F... {
    using F::operator()...;
};

/// "must be a string, is an integer"; for a text that could have been right, only what is wanted.
std::string mismatch(std::string_view wanted, const config_scalar& value) {
    const std::string_view found =
        std::visit(overloaded{[](const untyped_text&) -> std::string_view { return {}; },
                              [](const std::string&) -> std::string_view { return "a string"; },
                              [](std::int64_t) -> std::string_view { return "an integer"; },
                              [](double) -> std::string_view { return "a float"; },
                              [](bool) -> std::string_view { return "a boolean"; },
                              [](const foreign_type& t) -> std::string_view { return t.name; }},
                   value);
    std::string text = std::string("must be ").append(wanted);
    return found.empty() ? text : text.append(", is ").append(found);
}

const std::string* text_of(const config_scalar& value) noexcept {
    if (const auto* untyped = std::get_if<untyped_text>(&value)) {
        return &untyped->text;
    }
    return std::get_if<std::string>(&value);
}

// ---- numbers, sizes, durations

enum class number_kind { count, size, duration };

std::string_view wanted(number_kind kind) noexcept {
    switch (kind) {
        case number_kind::size:
            return "a size: a number of bytes, or text like \"64KiB\", \"32MiB\"";
        case number_kind::duration:
            return "a duration: text like \"250ms\", \"600s\", \"10m\", \"1h\", or a number of seconds";
        case number_kind::count:
            break;
    }
    return "an integer";
}

std::string number_text(number_kind kind, std::uint64_t number) {
    switch (kind) {
        case number_kind::size:
            return size_text(number);
        case number_kind::duration:
            return duration_text(milliseconds(static_cast<std::int64_t>(number)));
        case number_kind::count:
            break;
    }
    return std::to_string(number);
}

std::optional<std::int64_t> parse_number(number_kind kind, std::string_view text) noexcept {
    if (kind == number_kind::size) {
        const auto size = parse_size(text);
        return size ? std::optional(static_cast<std::int64_t>(*size)) : std::nullopt;
    }
    if (kind == number_kind::duration) {
        const auto duration = parse_duration(text);
        return duration ? std::optional(duration->count()) : std::nullopt;
    }
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failure == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// The number in `value`; `why` is set when there is none in the range.
std::uint64_t read_number(number_kind kind, const value_rule& rule, const config_scalar& value, fault& why) {
    std::optional<std::int64_t> number;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        // A number of seconds too large to be multiplied is above every range as it is.
        const bool seconds = kind == number_kind::duration && std::abs(static_cast<double>(*integer)) < 1e15;
        number = *integer * (seconds ? 1'000 : 1);
    } else if (const auto* untyped = std::get_if<untyped_text>(&value)) {
        number = parse_number(kind, untyped->text);
    } else if (const auto* text = std::get_if<std::string>(&value); text != nullptr && kind != number_kind::count) {
        number = parse_number(kind, *text);
        if (!number) {
            why = std::string("must be ").append(wanted(kind));
            return 0;
        }
    }
    if (!number) {
        why = mismatch(wanted(kind), value);
        return 0;
    }
    if (*number < 0 || static_cast<std::uint64_t>(*number) < rule.low ||
        static_cast<std::uint64_t>(*number) > rule.high) {
        why = "must be between " + number_text(kind, rule.low) + " and " + number_text(kind, rule.high);
        return 0;
    }
    return static_cast<std::uint64_t>(*number);
}

// ---- strings

std::vector<std::string_view> split(std::string_view list, char separator) {
    std::vector<std::string_view> parts;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(separator), list.size());
        parts.push_back(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return parts;
}

fault choice_fault(std::string_view text, std::string_view choices) {
    const auto allowed = split(choices, '|');
    if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) {
        return std::nullopt;
    }
    std::string why = "must be one of ";
    for (std::size_t i = 0; i < allowed.size(); ++i) {
        why.append(i == 0 ? "" : ", ").append(allowed[i]);
    }
    return why;
}

bool is_base64_of_32_bytes(std::string_view text) noexcept {
    const auto is_digit = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    };
    return text.size() == 44 && text.back() == '=' && std::all_of(text.begin(), text.end() - 1, is_digit);
}

/// Keys separated by commas or white space, each perhaps with a name and a colon in front of it.
bool are_master_keys(std::string_view text) noexcept {
    constexpr std::string_view separators = ", \t\r\n";
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(separators), text.size()));
        if (text.empty()) {
            return true;
        }
        std::string_view entry = text.substr(0, text.find_first_of(separators));
        text.remove_prefix(entry.size());
        entry.remove_prefix(entry.find(':') + 1);  // npos + 1 is 0
        if (!is_base64_of_32_bytes(entry)) {
            return false;
        }
    }
}

bool is_token_character(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// An origin is compared as it is, so it must be written as browsers write it: no path, no slash at the end, lower
/// case.
fault origins_fault(std::string_view list) {
    for (const std::string_view origin : split(list, ' ')) {
        const std::size_t host = origin.find("://");
        const bool has_upper = std::any_of(origin.begin(), origin.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
        if (!origin.empty() && (base_url_fault(origin) || has_upper || host == std::string_view::npos ||
                                origin.find('/', host + 3) != std::string_view::npos)) {
            return "must be origins separated by spaces, each http(s)://host[:port] in lower case without a path";
        }
    }
    return std::nullopt;
}

/// Checks `text` and brings it into the form in which it is kept.
fault form_fault(text_form form, std::string& text) {
    switch (form) {
        case text_form::plain:
            return std::nullopt;
        case text_form::required:
            return text.empty() ? fault("must not be empty") : std::nullopt;
        case text_form::file: {
            if (text.empty()) {
                return std::nullopt;
            }
            static constexpr std::size_t largest_pem = 4u << 20;
            const file_text content = read_file(text, largest_pem);
            return content.fault.empty() ? std::nullopt : fault("names a file that cannot be read: " + content.fault);
        }
        case text_form::url: {
            fault why = base_url_fault(text);
            while (!why && text.ends_with('/')) {
                text.pop_back();
            }
            return why;
        }
        case text_form::optional_url:
            return text.empty() ? std::nullopt : form_fault(text_form::url, text);
        case text_form::origins:
            return origins_fault(text);
        case text_form::cookie_name:
            return std::all_of(text.begin(), text.end(), is_token_character)
                       ? std::nullopt
                       : fault("holds a character that the name of a cookie cannot have");
        case text_form::api_key:
            return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; })
                       ? std::nullopt
                       : fault("holds a space or another character that a key cannot have");
        case text_form::api_keys:
            return parse_key_list(text)
                       ? std::nullopt
                       : fault(
                             "must be at most 64 different keys with spaces between, each with a weight from *1 to "
                             "*1000 behind it or none");
        case text_form::master_key:
            return are_master_keys(text) ? std::nullopt
                                         : fault(
                                               "must be base64 of 32 bytes (44 characters), as made by: openssl rand "
                                               "-base64 32; or several, "
                                               "separated by commas");
    }
    return std::nullopt;
}

// ---- one `store` per type of slot

fault store(const value_rule& rule, std::string& to, const config_scalar& value) {
    const std::string* given = text_of(value);
    if (given == nullptr) {
        return mismatch("a string", value);
    }
    std::string text = *given;
    fault why = rule.choices.empty() ? form_fault(rule.form, text) : choice_fault(text, rule.choices);
    if (!why) {
        to = std::move(text);
    }
    return why;
}

fault store(const value_rule&, bool& to, const config_scalar& value) {
    if (const auto* given = std::get_if<bool>(&value)) {
        to = *given;
        return std::nullopt;
    }
    const auto* text = std::get_if<untyped_text>(&value);
    if (text == nullptr || (text->text != "true" && text->text != "false")) {
        return mismatch("true or false", value);
    }
    to = text->text == "true";
    return std::nullopt;
}

template <class Number>
fault store_number(number_kind kind, const value_rule& rule, Number& to, const config_scalar& value) {
    fault why;
    const std::uint64_t number = read_number(kind, rule, value, why);
    if (!why) {
        to = static_cast<Number>(number);
    }
    return why;
}

fault store(const value_rule& rule, unsigned& to, const config_scalar& value) {
    return store_number(number_kind::count, rule, to, value);
}

fault store(const value_rule& rule, std::size_t& to, const config_scalar& value) {
    return store_number(number_kind::size, rule, to, value);
}

fault store(const value_rule& rule, milliseconds& to, const config_scalar& value) {
    return store_number(number_kind::duration, rule, to, value);
}

fault store(const value_rule&, endpoint_config& to, const config_scalar& value) {
    static constexpr std::string_view allowed = "an address like \"127.0.0.1:8080\", \"[::1]:8080\" or \":8080\"";
    const std::string* text = text_of(value);
    if (text == nullptr) {
        return mismatch(allowed, value);
    }
    auto endpoint = parse_endpoint(*text);
    if (!endpoint) {
        return std::string("must be ").append(allowed);
    }
    to = *std::move(endpoint);
    return std::nullopt;
}

fault store(const value_rule& rule, double& to, const config_scalar& value) {
    double number = 0;
    if (const auto* real = std::get_if<double>(&value)) {
        number = *real;
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        number = static_cast<double>(*integer);
    } else {
        const auto* text = std::get_if<untyped_text>(&value);
        const char* end = text == nullptr ? nullptr : text->text.data() + text->text.size();
        if (text == nullptr || std::from_chars(text->text.data(), end, number).ptr != end || text->text.empty()) {
            return mismatch("a number", value);
        }
    }
    if (!(number >= static_cast<double>(rule.low) && number <= static_cast<double>(rule.high))) {  // refuses NaN too
        return "must be between " + std::to_string(rule.low) + " and " + std::to_string(rule.high);
    }
    to = number;
    return std::nullopt;
}

template <class T>
fault store(const value_rule& rule, std::optional<T>& to, const config_scalar& value) {
    T given{};
    fault why = store(rule, given, value);
    if (!why) {
        to = std::move(given);
    }
    return why;
}

}  // namespace

std::optional<std::string> assign(const value_rule& rule, const config_slot& slot, const config_scalar& value) {
    return std::visit([&](auto* to) { return store(rule, *to, value); }, slot);
}

}  // namespace concurred::base
