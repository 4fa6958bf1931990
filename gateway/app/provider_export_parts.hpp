#pragma once

#include "gateway/app/provider_export.hpp"
#include "gateway/base/utc_text.hpp"

#include <charconv>
#include <map>
#include <utility>

namespace concurred::app {

// What the readers of JSON and of CSV have in common.

inline constexpr std::int64_t seconds_per_day = 86'400;

inline base::error bad_export(std::string what) {
    return base::client_error(base::errc::bad_request, "the provider's export: " + std::move(what));
}

inline std::optional<std::uint64_t> whole_number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    return ec == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// A date, a time that begins with one, or Unix seconds.
inline std::optional<std::int32_t> export_day(std::string_view text) noexcept {
    if (const auto seconds = whole_number(text)) {
        return static_cast<std::int32_t>(*seconds / seconds_per_day);
    }
    return base::parse_utc_date(text.substr(0, 10));
}

class export_collector {
public:
    void add(const exported_usage& one) {
        exported_usage& sum = found_[{one.day, one.model}];
        sum.day = one.day;
        sum.model = one.model;
        const auto plus = [](auto& to, const auto& more) {
            if (more) {
                to = to.value_or(0) + *more;
            }
        };
        plus(sum.requests, one.requests);
        plus(sum.input_tokens, one.input_tokens);
        plus(sum.output_tokens, one.output_tokens);
    }
    [[nodiscard]] std::vector<exported_usage> take() {
        std::vector<exported_usage> all;
        for (auto& [key, sum] : found_) {
            all.push_back(std::move(sum));
        }
        return all;
    }

private:
    std::map<std::pair<std::int32_t, std::string>, exported_usage> found_;
};

/// @param text valid or not, from the first character that is no space
[[nodiscard]] base::result<std::vector<exported_usage>> read_export_json(std::string_view text);
[[nodiscard]] base::result<std::vector<exported_usage>> read_export_csv(std::string_view text);

}  // namespace concurred::app
