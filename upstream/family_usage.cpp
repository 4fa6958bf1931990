#include "upstream/family_usage.hpp"

#include "upstream/json_parts.hpp"
#include "upstream/json_writer.hpp"

#include <charconv>
#include <cmath>

namespace concurred::upstream {

namespace {

constexpr std::int64_t ticks_per_nano_usd = 10;
constexpr double most_usd = 1e6;  // more for one call is no price but a mistake

std::optional<std::int64_t> nano_usd(const json_part& usd) {
    double value = 0;
    const char* const end = usd.raw.data() + usd.raw.size();
    const auto [behind, failure] = std::from_chars(usd.raw.data(), end, value);
    const bool number = usd.is_number() && failure == std::errc{} && behind == end && value >= 0 && value < most_usd;
    return number ? std::optional(std::llround(value * 1e9)) : std::nullopt;
}

}  // namespace

void append_family_usage(std::string& out, std::string_view usage, const family_policy& policy) {
    json_part prompt;
    json_part completion;
    json_part total;
    json_part details;
    read_members(usage, {{"prompt_tokens", &prompt},
                         {"completion_tokens", &completion},
                         {"total_tokens", &total},
                         {"completion_tokens_details", &details}});
    const std::uint64_t reasoning = member_of(details.raw, "reasoning_tokens").count();
    // Only when the sum says so: should the provider change its way of counting, nothing is counted twice.
    const bool beside =
        policy.reasoning_beside && reasoning != 0 && prompt.count() + completion.count() + reasoning == total.count();
    json_writer w(out);
    w.open('{');
    http::json_reader members(usage);
    while (const http::json_member* m = members.next()) {
        if (policy.minimax && m->key == "total_characters") {
            continue;
        }
        w.key(m->key);
        if (beside && m->key == "completion_tokens") {
            w.number(completion.count() + reasoning);
        } else {
            w.raw("");
            append_compact(out, m->value);
        }
    }
    w.close('}');
}

std::optional<std::int64_t> cost_in_usage(std::string_view usage, const family_policy& policy) {
    json_part ticks;
    json_part cost;
    json_part byok;
    json_part details;
    read_members(usage,
                 {{"cost_in_usd_ticks", &ticks}, {"cost", &cost}, {"is_byok", &byok}, {"cost_details", &details}});
    if (policy.provider == "x-ai") {
        const auto value = ticks.integer();
        return value && *value >= 0 ? std::optional((*value + ticks_per_nano_usd / 2) / ticks_per_nano_usd)
                                    : std::nullopt;
    }
    if (policy.provider != "openrouter") {
        return std::nullopt;
    }
    const auto real = byok.is_true() ? nano_usd(member_of(details.raw, "upstream_inference_cost")) : std::nullopt;
    return real ? real : nano_usd(cost);
}

}  // namespace concurred::upstream
