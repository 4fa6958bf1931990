#include "upstream/target_list.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

namespace concurred::upstream {

namespace {

using base::errc;
using base::result;

base::error provider_is_off(std::string_view provider, const char* why) {
    return base::gateway_error(errc::model_unavailable, "The provider '" + std::string(provider) +
                                                            "' of this model is not available here: " + why);
}

// What is wrong with the caller's own key is no reason to go on without it.
bool is_about_own_key(const base::error& e) noexcept {
    return e.code != errc::model_unavailable;
}

}  // namespace

result<routed_target> target_list::find(routing_state& state, const route_target& target) const {
    provider* const found = state.around.providers.find(target.provider);
    if (found == nullptr) {
        return provider_is_off(target.provider, "it is not configured.");
    }
    if (!found->dialect().spoken) {
        return provider_is_off(target.provider, "its API is not spoken by this version of the gateway.");
    }
    routed_target made{target, found};
    auto own = state.around.own_keys.credential_for(key_.owner, target.provider, key_.slug, found->dialect(), several_);
    if (!own) {
        return std::move(own).error();
    }
    if (*own) {
        made.own = std::make_shared<const owner_credential>(std::move(**own));
    } else if (!found->available()) {
        return provider_is_off(target.provider, "the gateway has no API key for it.");
    }
    return made;
}

namespace {

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
    result<routed_target> to = find(state, *target);
    if (!to && is_about_own_key(to.error())) {
        return to.error();
    }
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
    to->health = &state.health.of(target->model, target->provider);
    if (first_.to == nullptr) {
        first_ = std::move(*to);
    } else {
        others_.push_back(std::move(*to));
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
        const result<routed_target> found = find(state, *target);
        provider* const to = found ? found->to : nullptr;
        c.healthy = to != nullptr && to->breaker().would_grant(now) && (found->own || to->keys().any_awake(now));
        if (to != nullptr) {
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
                               bool stream, const key_wish& key) {
    key_ = key;
    several_ = wishes != nullptr;
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
        if (t.tried || (own_only_ && !t.own) || !lets_through(t, now)) {
            continue;
        }
        if (size() == 1 || t.own || t.to->keys().any_awake(now)) {
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
