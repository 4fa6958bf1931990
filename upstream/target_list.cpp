#include "upstream/target_list.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace concurred::upstream {

namespace {

using base::errc;
using base::result;

base::error unavailable(std::string_view provider, const char* why) {
    return base::gateway_error(errc::model_unavailable, "The provider '" + std::string(provider) +
                                                            "' of this model is not available here: " + why);
}

result<provider*> provider_of(provider_table& providers, const route_target& target) {
    provider* const found = providers.find(target.provider);
    if (found == nullptr) {
        return unavailable(target.provider, "it is not configured.");
    }
    if (!found->dialect().spoken) {
        return unavailable(target.provider, "its API is not spoken by this version of the gateway.");
    }
    if (!found->available()) {
        return unavailable(target.provider, "the gateway has no API key for it.");
    }
    return found;
}

std::size_t hash_of(const routing_request& wishes) noexcept {
    std::size_t hash = 0;
    for (const balanced_model& b : wishes.balanced) {
        hash = hash * 31 + std::hash<std::string_view>{}(b.model);
    }
    return hash;
}

}  // namespace

result<void> target_list::add(routing_state& state, std::string_view requested, const char* param) {
    const result<route_target> target = state.around.models.resolve(requested);
    if (!target) {
        base::error e = target.error();
        e.param = param;
        return e;
    }
    const result<provider*> to = provider_of(state.around.providers, *target);
    if (!to) {
        if (first_.to == nullptr && !unavailable_) {
            unavailable_ = *target;
            why_unavailable_ = to.error();
        }
        return {};
    }
    for (std::size_t i = 0; i < size(); ++i) {
        if ((*this)[i].target.model == target->model) {
            return {};  // once is enough
        }
    }
    const routed_target added{*target, *to, &state.health.of(target->model, target->provider)};
    if (first_.to == nullptr) {
        first_ = added;
    } else {
        others_.push_back(added);
    }
    return {};
}

result<void> target_list::add_balanced(routing_state& state, const routing_request& wishes, bool stream) {
    const base::steady_time now = std::chrono::steady_clock::now();
    std::array<balance_candidate, max_balanced> candidates;
    const std::size_t count = wishes.balanced.size();
    for (std::size_t i = 0; i < count; ++i) {
        const balanced_model& b = wishes.balanced[i];
        balance_candidate& c = candidates[i];
        c.weight = b.weight;
        const result<route_target> target = state.around.models.resolve(b.model);
        if (!target) {
            base::error e = target.error();
            e.param = "load_balance.models[" + std::to_string(i) + "].model";
            return e;
        }
        const result<provider*> to = provider_of(state.around.providers, *target);
        c.healthy = to && (*to)->breaker().would_grant(now) && (*to)->keys().any_awake(now);
        if (to) {
            const model_health& health = state.health.of(target->model, target->provider);
            c.healthy = c.healthy && health.breaker.would_grant(now);
            c.latency = health.latency[stream ? 1 : 0].mean(now);
        }
    }
    std::array<std::uint8_t, max_balanced> order{};
    balance(wishes.strategy, std::span(candidates).first(count), state.turns.next(hash_of(wishes)), state.dice(),
            std::span(order).first(count));
    for (std::size_t i = 0; i < count; ++i) {
        if (auto ok = add(state, wishes.balanced[order[i]].model, "load_balance.models"); !ok) {
            return ok;
        }
    }
    return {};
}

result<void> target_list::make(routing_state& state, std::string_view requested, const routing_request* wishes,
                               bool stream) {
    if (wishes != nullptr && !wishes->balanced.empty()) {
        const result<route_target> asked = state.around.models.resolve(requested);
        if (!asked) {
            return asked.error();
        }
        if (auto ok = add_balanced(state, *wishes, stream); !ok) {
            return ok;
        }
    } else if (auto ok = add(state, requested, "model"); !ok) {
        return ok;
    }
    if (wishes != nullptr) {
        for (const std::string& name : wishes->fallback) {
            if (auto ok = add(state, name, "fallback"); !ok) {
                return ok;
            }
        }
    }
    return first_.to == nullptr ? result<void>(why_unavailable_) : result<void>();
}

bool target_list::lets_through(const routed_target& t, base::steady_time now) noexcept {
    return t.to->breaker().would_grant(now) && t.health->breaker.would_grant(now);
}

routed_target* target_list::next(base::steady_time now) noexcept {
    routed_target* resting = nullptr;
    for (std::size_t i = 0; i < size(); ++i) {
        routed_target& t = (*this)[i];
        if (t.tried || !lets_through(t, now)) {
            continue;
        }
        if (size() == 1 || t.to->keys().any_awake(now)) {
            return &t;
        }
        resting = resting == nullptr ? &t : resting;
    }
    return resting;
}

std::chrono::milliseconds target_list::opens_in(base::steady_time now) noexcept {
    std::chrono::milliseconds least = std::chrono::milliseconds::max();
    for (std::size_t i = 0; i < size(); ++i) {
        const routed_target& t = (*this)[i];
        least = std::min(least, std::max(t.to->breaker().reopens_in(now), t.health->breaker.reopens_in(now)));
    }
    return std::max(least, std::chrono::milliseconds(1));
}

}  // namespace concurred::upstream
