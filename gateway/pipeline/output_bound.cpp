#include "gateway/pipeline/output_bound.hpp"

#include "gateway/http/json_scan.hpp"

#include <algorithm>
#include <charconv>

namespace concurred::pipeline {

namespace {

constexpr std::uint64_t largest = 1'000'000'000;

/// A whole number; what is none, or is negative, says nothing.
std::optional<std::uint64_t> whole_number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec == std::errc::result_out_of_range) {
        return largest;
    }
    return ec == std::errc() && end == text.data() + text.size() ? std::optional(std::min(value, largest))
                                                                 : std::nullopt;
}

void take_larger(std::optional<std::uint64_t>& bound, std::optional<std::uint64_t> other) noexcept {
    if (other) {
        bound = std::max(bound.value_or(0), *other);
    }
}

}  // namespace

std::optional<std::uint64_t> requested_output(std::string_view body) noexcept {
    std::optional<std::uint64_t> bound;
    std::uint64_t answers = 1;
    http::json_reader reader(body);
    while (const http::json_member* m = reader.next()) {
        if (m->key == "max_completion_tokens" || m->key == "max_output_tokens" || m->key == "max_tokens") {
            take_larger(bound, whole_number(m->value));
        } else if (m->key == "n") {
            answers = std::clamp<std::uint64_t>(whole_number(m->value).value_or(1), 1, 1'000);
        } else if (m->key == "generationConfig" && m->kind == http::json_kind::object) {
            http::json_reader config(m->value);
            while (const http::json_member* inner = config.next()) {
                if (inner->key == "maxOutputTokens") {
                    take_larger(bound, whole_number(inner->value));
                }
            }
        }
    }
    if (bound) {
        bound = std::min(*bound * answers, largest);
    }
    return bound;
}

}  // namespace concurred::pipeline
