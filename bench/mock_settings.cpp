#include "bench/mock_settings.hpp"

#include <charconv>
#include <limits>

namespace concurred::bench {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

std::optional<std::uint32_t> number_in(std::string_view text) noexcept {
    std::uint64_t factor = 1;
    if (!text.empty() && (text.back() == 'k' || text.back() == 'm')) {
        factor = text.back() == 'k' ? 1024 : 1024 * 1024;
        text.remove_suffix(1);
    }
    std::uint32_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() ||
        value * factor > std::numeric_limits<std::uint32_t>::max()) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(value * factor);
}

std::string complaint(std::string_view name, std::string_view what) {
    std::string text("mock setting '");
    text.append(name).append("' ").append(what);
    return text;
}

std::optional<std::string> assign(const mock_setting& row, std::string_view value, mock_settings& settings) {
    if (const auto* number = std::get_if<std::uint32_t mock_settings::*>(&row.member)) {
        const auto parsed = number_in(value);
        if (!parsed || *parsed < row.minimum || *parsed > row.maximum) {
            return complaint(
                row.name, "needs a number from " + std::to_string(row.minimum) + " to " + std::to_string(row.maximum));
        }
        settings.** number = *parsed;
    } else if (const auto* flag = std::get_if<bool mock_settings::*>(&row.member)) {
        if (!value.empty() && value != "0" && value != "1" && value != "true" && value != "false") {
            return complaint(row.name, "is a flag: true or false");
        }
        settings.** flag = value != "0" && value != "false";
    } else if (const auto* duration = std::get_if<std::chrono::microseconds mock_settings::*>(&row.member)) {
        const auto parsed = mock_duration(value);
        if (!parsed) {
            return complaint(row.name, "needs a duration such as 50ms, at most a day");
        }
        settings.** duration = *parsed;
    } else {
        settings.*std::get<std::string mock_settings::*>(row.member) = value;
    }
    return std::nullopt;
}

std::string_view name_of(std::string_view pair) noexcept {
    return trimmed(pair.substr(0, pair.find_first_of("=:")));
}

std::string_view spec_or_nothing(std::string_view spec) noexcept {
    const bool known = find_mock_setting(name_of(spec.substr(0, spec.find_first_of(",;")))) != nullptr;
    return known || spec.find('=') != std::string_view::npos ? spec : std::string_view{};
}

}  // namespace

std::optional<std::chrono::microseconds> mock_duration(std::string_view text) noexcept {
    double value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    const double micros = unit == "us"                   ? 1
                          : unit == "ms" || unit.empty() ? 1e3
                          : unit == "s"                  ? 1e6
                          : unit == "m"                  ? 6e7
                                                         : 0;
    // A day is longer than any test, and keeps every sum of deadlines far from overflow.
    if (failure != std::errc{} || micros == 0 || !(value >= 0) || value * micros > 86'400e6) {
        return std::nullopt;
    }
    return std::chrono::microseconds(static_cast<std::int64_t>(value * micros));
}

mock_settings mock_settings::without_faults() const {
    mock_settings result = *this;
    const mock_settings plain;
    for (const auto& row : mock_setting_table()) {
        if (row.fault) {
            std::visit([&](auto member) { result.*member = plain.*member; }, row.member);
        }
    }
    return result;
}

std::optional<std::string> apply_mock_spec(std::string_view spec, mock_settings& settings) {
    while (!spec.empty()) {
        const auto end = std::min(spec.find_first_of(",;"), spec.size());
        const std::string_view pair = trimmed(spec.substr(0, end));
        spec.remove_prefix(std::min(end + 1, spec.size()));
        if (pair.empty()) {
            continue;
        }
        const std::string_view name = name_of(pair);
        const auto* row = find_mock_setting(name);
        if (row == nullptr) {
            return complaint(name, "does not exist");
        }
        const auto mark = pair.find_first_of("=:");
        const bool bare = mark == std::string_view::npos;
        if (auto wrong = assign(*row, bare ? row->bare : trimmed(pair.substr(mark + 1)), settings)) {
            return wrong;
        }
    }
    return std::nullopt;
}

std::string_view spec_in_model(std::string_view model) noexcept {
    constexpr std::string_view mark = "mock-";
    if (model.starts_with(mark)) {
        return spec_or_nothing(model.substr(mark.size()));
    }
    const auto at = model.find("/mock-");
    return at == std::string_view::npos ? std::string_view{} : spec_or_nothing(model.substr(at + 1 + mark.size()));
}

std::string_view spec_in_key(std::string_view key) noexcept {
    constexpr std::string_view mark = "sk-mock-";
    return key.starts_with(mark) ? spec_or_nothing(key.substr(mark.size())) : std::string_view{};
}

}  // namespace concurred::bench
