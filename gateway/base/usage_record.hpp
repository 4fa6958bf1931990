#pragma once

#include "gateway/base/fixed_text.hpp"

#include <array>
#include <cstdint>

namespace concurred::base {

/// Longest owner id and key id the gateway works with, in bytes. Longer ones are refused where a principal is made.
inline constexpr std::size_t max_id_length = 128;

/// 16 bytes of a UUIDv7: unique, ordered by time of creation.
using event_id = std::array<std::uint8_t, 16>;

/// How a request ended; one of these for every admitted request.
enum class end_reason : std::uint8_t {
    completed,       ///< the whole answer left the gateway
    client_closed,   ///< the client went away first
    upstream_error,  ///< the provider failed before or during the answer
    timeout,         ///< one of the provider's time budgets ran out
    drain,           ///< cut at the drain deadline
    rejected,        ///< refused after admission (bad body, unknown model)
    aborted,         ///< found open after a crash
};

/// Token counts in disjoint classes, so that cost is a plain sum.
struct token_counts {
    std::uint64_t prompt = 0;      ///< fresh input tokens: neither read from nor written to a cache
    std::uint64_t cache_read = 0;  ///< input tokens read from the provider's cache
    std::uint64_t cache_write = 0;
    std::uint64_t completion = 0;  ///< output tokens without reasoning
    std::uint64_t reasoning = 0;   ///< output tokens spent on reasoning

    [[nodiscard]] std::uint64_t total() const noexcept {
        return prompt + cache_read + cache_write + completion + reasoning;
    }
    [[nodiscard]] std::uint64_t input() const noexcept { return prompt + cache_read + cache_write; }
    [[nodiscard]] std::uint64_t output() const noexcept { return completion + reasoning; }
};

/// One admitted request, from admission to its end. A plain value: copied into the ring, the spool and the store.
struct usage_record {
    event_id id{};
    std::int64_t admitted_ms = 0;  ///< Unix milliseconds
    std::int32_t day = 0;          ///< UTC day of admission, days since 1970-01-01; fixed once
    std::uint16_t status = 0;      ///< HTTP status the client got
    end_reason end = end_reason::aborted;
    bool byok = false;
    bool stream = false;
    bool estimated = false;  ///< the provider gave no usage figures
    bool priced = false;     ///< false: the model has no price, `cost_nano_usd` is 0 and means unknown
    std::uint32_t price_version = 0;
    token_counts tokens;
    std::uint64_t reserved_tokens = 0;  ///< taken from the key's limits at admission, before the true figure was known
    std::int64_t cost_nano_usd = 0;
    std::uint32_t latency_ms = 0;
    std::uint32_t first_token_ms = 0;
    fixed_text<max_id_length> owner;
    fixed_text<max_id_length> key_id;
    fixed_text<48> endpoint;  ///< route template, e.g. "/api/v1/chat/completions"
    fixed_text<32> provider;
    fixed_text<96> model_requested;  ///< as the client wrote it, cut
    fixed_text<96> model;            ///< resolved id
    fixed_text<64> request_id;
    fixed_text<64> upstream_request_id;
};

}  // namespace concurred::base
