#include "upstream/routing_state.hpp"

#include <array>

namespace concurred::upstream {

namespace {

using state = circuit_breaker::state;

constexpr std::array<std::string_view, 3> state_names{"closed", "half_open", "open"};

void show_breaker(base::metrics& to, std::string_view provider, std::string_view model, const circuit_breaker& b,
                  base::steady_time now) {
    if (b.openings() == 0) {
        return;
    }
    const auto current = static_cast<std::size_t>(b.state_at(now));
    for (std::size_t i = 0; i < state_names.size(); ++i) {
        to.breakers(provider, model, state_names[i], i == current ? 1 : 0);
    }
}

}  // namespace

std::string_view text_of(circuit_breaker::state s) noexcept {
    return state_names[static_cast<std::size_t>(s)];
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
