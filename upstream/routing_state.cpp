#include "upstream/routing_state.hpp"

#include <array>

namespace concurred::upstream {

namespace {

constexpr std::array states{circuit_breaker::state::closed, circuit_breaker::state::half_open,
                            circuit_breaker::state::open};

void show_breaker(base::metrics& to, std::string_view provider, std::string_view model, const circuit_breaker& b,
                  base::steady_time now) {
    if (b.openings() == 0) {
        return;
    }
    for (const circuit_breaker::state s : states) {
        to.breakers(provider, model, text_of(s), s == b.state_at(now) ? 1 : 0);
    }
}

}  // namespace

std::vector<health_row> routing_state::view(base::steady_time now) const {
    std::vector<health_row> rows;
    const auto add = [&](std::string_view provider, std::string_view model, const circuit_breaker& b) -> health_row& {
        health_row& row = rows.emplace_back();
        row.provider = provider;
        row.model = model;
        row.state = b.state_at(now);
        row.reopens_in = b.reopens_in(now);
        row.openings = b.openings();
        return row;
    };
    for (auto& [name, provider] : around.providers) {
        if (provider->available()) {
            health_row& row = add(name, {}, provider->breaker());
            row.keys = provider->keys().size();
            row.resting = provider->keys().count_resting(now);
        }
    }
    health.for_each([&](std::string_view model, const model_health& h) {
        if (h.breaker.openings() != 0) {
            add(h.provider, model, h.breaker);
        }
    });
    return rows;
}

void routing_state::show(base::metrics& to, base::steady_time now) {
    for (auto& [name, provider] : around.providers) {
        if (!provider->available()) {
            continue;
        }
        show_breaker(to, name, {}, provider->breaker(), now);
        const auto resting = static_cast<std::int64_t>(provider->keys().count_resting(now));
        to.upstream_keys(name, "resting", resting);
        to.upstream_keys(name, "awake", static_cast<std::int64_t>(provider->keys().size()) - resting);
    }
    health.for_each(
        [&](std::string_view model, const model_health& h) { show_breaker(to, h.provider, model, h.breaker, now); });
}

}  // namespace concurred::upstream
