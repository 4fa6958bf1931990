#pragma once

#include "upstream/circuit_breaker.hpp"
#include "upstream/latency_record.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace concurred::upstream {

/// What a shard has learnt of a model.
struct model_health {
    explicit model_health(const breaker_policy& policy, std::string_view of) : breaker(policy), provider(of) {}

    circuit_breaker breaker;
    std::array<latency_record, 2> latency;  ///< [stream]: a whole answer takes longer than a first token
    std::string provider;
};

/// The health of all models that were asked for, by their resolved ids. At most `most` of them are told apart: a client
/// can make up ids (`openrouter/any/thing`), and those beyond share one entry. Belongs to one shard.
class model_health_table {
public:
    static constexpr std::size_t most = 1'024;

    explicit model_health_table(const breaker_policy& policy) : policy_(policy), others_(policy, "other") {}

    /// Allocates only for a model that is new.
    [[nodiscard]] model_health& of(std::string_view model, std::string_view provider) {
        const auto found = models_.find(model);
        if (found != models_.end()) {
            return found->second;
        }
        if (models_.size() == most) {
            return others_;
        }
        return models_.try_emplace(std::string(model), policy_, provider).first->second;
    }

    /// Calls `visit(model, health)` for each.
    template <class Visitor>
    void for_each(Visitor&& visit) const {
        for (const auto& [model, health] : models_) {
            visit(std::string_view(model), health);
        }
    }

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };

    breaker_policy policy_;
    std::unordered_map<std::string, model_health, text_hash, std::equal_to<>> models_;
    model_health others_;
};

}  // namespace concurred::upstream
