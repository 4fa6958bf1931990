#include "gateway/base/config_text.hpp"
#include "gateway/base/config_value.hpp"
#include "gateway/base/json_text.hpp"

#include <array>
#include <charconv>

namespace concurred::base {

namespace {

std::string quoted(std::string_view text) {
    std::string out;
    append_json_text(out, text);
    return out;
}

std::string write(const value_rule& rule, const std::string& value) {
    if (rule.form == text_form::api_keys && !value.empty()) {
        return quoted("***");  // the end of the text may be all of a key
    }
    return quoted(is_secret(rule) ? masked(value) : value);
}
std::string write(const value_rule&, bool value) {
    return value ? "true" : "false";
}
std::string write(const value_rule&, unsigned value) {
    return std::to_string(value);
}
std::string write(const value_rule&, std::size_t value) {
    const std::string text = size_text(value);
    return text.back() == 'B' ? quoted(text) : text;
}
std::string write(const value_rule&, milliseconds value) {
    return quoted(duration_text(value));
}
std::string write(const value_rule&, const endpoint_config& value) {
    return quoted(to_text(value));
}
std::string write(const value_rule&, double value) {
    std::array<char, 32> digits;
    return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

template <class T>
std::optional<std::string> write_if_set(const value_rule& rule, const T& value) {
    return write(rule, value);
}

template <class T>
std::optional<std::string> write_if_set(const value_rule& rule, const std::optional<T>& value) {
    return value ? std::optional(write(rule, *value)) : std::nullopt;
}

}  // namespace

std::optional<std::string> literal(const value_rule& rule, const config_slot& slot) {
    return std::visit([&](const auto* from) { return write_if_set(rule, *from); }, slot);
}

std::string masked(std::string_view secret) {
    if (secret.empty()) {
        return {};
    }
    return std::string("***").append(secret.size() >= 12 ? secret.substr(secret.size() - 4) : "");
}

std::string to_text(const endpoint_config& endpoint) {
    const bool bracket = endpoint.host.find(':') != std::string::npos;
    return (bracket ? "[" + endpoint.host + "]:" : endpoint.host + ":") + std::to_string(endpoint.port);
}

bool is_loopback(std::string_view host) noexcept {
    const bool numeric = host.find_first_not_of("0123456789.") == std::string_view::npos;
    return host == "localhost" || host == "::1" || (numeric && host.starts_with("127."));
}

}  // namespace concurred::base
