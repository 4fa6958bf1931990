#include "storage/usage_store.hpp"

#include <algorithm>
#include <limits>

namespace concurred::storage {

namespace {

// Beyond any real request. A provider's nonsense must not overflow a sum, for that would block all that comes after it.
constexpr std::uint64_t max_tokens_of_request = 1'000'000'000'000;
constexpr std::int64_t max_cost_of_request_nano_usd = 100'000'000'000'000;  // 100,000 USD

std::int64_t bounded(std::uint64_t tokens) noexcept {
    return static_cast<std::int64_t>(std::min(tokens, max_tokens_of_request));
}

/// Sums stop at the limit of the type instead of passing it.
void add(std::int64_t& sum, std::int64_t value) noexcept {
    if (__builtin_add_overflow(sum, value, &sum)) {
        sum = std::numeric_limits<std::int64_t>::max();
    }
}

}  // namespace

usage_sums& usage_sums::operator+=(const usage_sums& other) noexcept {
    add(requests, other.requests);
    add(failed, other.failed);
    add(errors, other.errors);
    add(prompt_tokens, other.prompt_tokens);
    add(cache_read_tokens, other.cache_read_tokens);
    add(cache_write_tokens, other.cache_write_tokens);
    add(completion_tokens, other.completion_tokens);
    add(reasoning_tokens, other.reasoning_tokens);
    add(cost_nano_usd, other.cost_nano_usd);
    add(unpriced_requests, other.unpriced_requests);
    add(estimated_requests, other.estimated_requests);
    return *this;
}

base::result<std::size_t> usage_store::apply(std::span<const base::usage_record> records) {
    std::vector<const base::usage_record*> batch;
    batch.reserve(records.size());
    for (const base::usage_record& record : records) {
        batch.push_back(&record);
    }
    return apply(usage_batch(batch));
}

usage_sums sums_of(const base::usage_record& record) noexcept {
    const bool bad_status = record.status >= 400;
    const bool refused = record.end == base::end_reason::rejected || (bad_status && record.provider.empty());
    // Where nothing was delivered there is nothing to pay: a missing price is no gap in the sum then.
    const bool delivered = !refused && (!bad_status || record.tokens.total() != 0);
    usage_sums sums;
    sums.requests = 1;
    sums.failed = refused ? 1 : 0;
    sums.errors = bad_status || record.end != base::end_reason::completed ? 1 : 0;
    sums.prompt_tokens = bounded(record.tokens.prompt);
    sums.cache_read_tokens = bounded(record.tokens.cache_read);
    sums.cache_write_tokens = bounded(record.tokens.cache_write);
    sums.completion_tokens = bounded(record.tokens.completion);
    sums.reasoning_tokens = bounded(record.tokens.reasoning);
    sums.cost_nano_usd = std::clamp<std::int64_t>(record.cost_nano_usd, 0, max_cost_of_request_nano_usd);
    sums.unpriced_requests = !record.priced && delivered ? 1 : 0;
    sums.estimated_requests = record.estimated ? 1 : 0;
    return sums;
}

}  // namespace concurred::storage
