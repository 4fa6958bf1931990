#pragma once

#include "gateway/base/usage_record.hpp"

#include <cstdint>
#include <string_view>

namespace concurred::upstream {

/// Anthropic's usage figures as they come: each object sets the counts it names, none is added up.
class anthropic_counts {
public:
    /// @param usage a `usage` object; anything else says nothing
    void take(std::string_view usage);

    /// In disjoint classes. Anthropic's input_tokens are fresh ones; its output_tokens include the thoughts.
    [[nodiscard]] base::token_counts counts() const noexcept;
    /// Of the tokens written to the cache, those that are kept for an hour.
    [[nodiscard]] std::uint64_t long_cache_writes() const noexcept { return cache_write_long_; }

private:
    std::uint64_t input_ = 0;
    std::uint64_t cache_read_ = 0;
    std::uint64_t cache_write_ = 0;
    std::uint64_t cache_write_long_ = 0;
    std::uint64_t output_ = 0;
    std::uint64_t thinking_ = 0;
};

/// OpenAI's finish_reason for a stop_reason, as it stands in the JSON with its quotes.
[[nodiscard]] std::string_view finish_reason_of(std::string_view stop_reason) noexcept;

}  // namespace concurred::upstream
