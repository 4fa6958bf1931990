#include "auth/spend_memory.hpp"

#include <algorithm>

namespace concurred::auth {

namespace {

using std::chrono::milliseconds;

constexpr auto relaxed = std::memory_order_relaxed;

std::int64_t millis(base::steady_time t) noexcept {
    return std::chrono::duration_cast<milliseconds>(t.time_since_epoch()).count();
}

spend_denials::cell* cell_of(spend_denials& denials, spend_limit which) noexcept {
    switch (which) {
        case spend_limit::concurrency:
            return &denials.concurrency;
        case spend_limit::tokens:
            return &denials.tokens;
        case spend_limit::day:
            return &denials.day;
        case spend_limit::month:
            return &denials.month;
        default:
            return nullptr;
    }
}

/// What a request wants at least of a limit.
std::uint64_t wanted_of(spend_limit which, std::uint64_t limit, const spend_request& request) noexcept {
    switch (which) {
        case spend_limit::tokens:
            return tokens_to_hold(limit, request);
        case spend_limit::day:
        case spend_limit::month:
            return request.least_units();
        default:
            return 1;
    }
}

}  // namespace

void remember(spend_denials& denials, const spend_decision& denied, const spend_request& request,
              base::steady_time now) noexcept {
    spend_denials::cell* const cell = cell_of(denials, denied.denied_by);
    if (cell == nullptr) {
        return;
    }
    const milliseconds memory = denied.denied_by == spend_limit::concurrency ? place_memory : amount_memory;
    cell->wanted.store(wanted_of(denied.denied_by, denied.limit, request), relaxed);
    cell->limit.store(denied.limit, relaxed);
    cell->left.store(denied.left, relaxed);
    cell->retry_at_ms.store(millis(now + denied.retry_after), relaxed);
    cell->until_ms.store(millis(now + std::min(memory, denied.retry_after)), relaxed);
}

std::optional<spend_decision> denied_before(const spend_denials& denials, const spend_limits& limits,
                                            const spend_request& request, base::steady_time now) noexcept {
    const std::int64_t now_ms = millis(now);
    const auto look = [&](const spend_denials::cell& cell, spend_limit which,
                          std::uint64_t limit) -> std::optional<spend_decision> {
        if (cell.until_ms.load(relaxed) <= now_ms || limit == 0 || cell.limit.load(relaxed) != limit ||
            wanted_of(which, limit, request) < cell.wanted.load(relaxed)) {
            return std::nullopt;
        }
        spend_decision d;
        d.denied_by = which;
        d.limit = limit;
        d.left = cell.left.load(relaxed);
        d.retry_after = which == spend_limit::concurrency
                            ? milliseconds(until_a_place)
                            : milliseconds(std::max<std::int64_t>(cell.retry_at_ms.load(relaxed) - now_ms, 1));
        if (which == spend_limit::tokens) {
            d.tokens_limit = limit;
            d.tokens_left = std::min(d.left, limit);
            d.tokens_full_in =
                milliseconds(60'000 - static_cast<std::int64_t>(60'000.0 * static_cast<double>(d.tokens_left) /
                                                                static_cast<double>(limit)));
        }
        return d;
    };
    auto d = look(denials.concurrency, spend_limit::concurrency, limits.concurrency);
    d = d ? d : look(denials.tokens, spend_limit::tokens, limits.tokens_per_minute);
    d = d ? d : look(denials.day, spend_limit::day, static_cast<std::uint64_t>(limits.day_nano_usd));
    return d ? d : look(denials.month, spend_limit::month, static_cast<std::uint64_t>(limits.month_nano_usd));
}

void forget(spend_denials& denials) noexcept {
    for (spend_denials::cell* const cell : {&denials.concurrency, &denials.tokens, &denials.day, &denials.month}) {
        cell->until_ms.store(0, relaxed);
    }
}

}  // namespace concurred::auth
