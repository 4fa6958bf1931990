#pragma once

#include "upstream/routing_request.hpp"
#include "upstream/routing_state.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::upstream {

/// Whose request it is, as far as that decides about the key that it is sent with.
struct key_wish {
    std::string_view owner{};
    std::string_view slug{};  ///< of X-Provider-Key: the owner's key to use; empty: the newest there is
};

/// A model that a request may be answered by.
struct routed_target {
    route_target target;
    provider* to = nullptr;
    model_health* health = nullptr;                 ///< of the model
    std::shared_ptr<const owner_credential> own{};  ///< the caller's own key for it; null: the platform's is used
    bool tried = false;
};

/// The models of one request in the order in which they are tried: the one that balancing chose or that was asked for,
/// the others of the balanced ones, the fallbacks. For a request that names one model it allocates nothing.
class target_list {
public:
    /// @param requested  `model` of the request; must outlive the list
    /// @param wishes     null: the request names no other models
    /// @param key        whose keys may be used. With several models a slug counts for those of its provider.
    /// Errors: errc::invalid_model for a name that is not known, whose `param` says where it stands;
    ///         errc::model_unavailable when no model of the list has a provider that is on.
    [[nodiscard]] base::result<void> make(routing_state& state, std::string_view requested,
                                          const routing_request* wishes, bool stream, const key_wish& key);

    [[nodiscard]] std::size_t size() const noexcept { return others_.size() + (first_.to == nullptr ? 0 : 1); }
    [[nodiscard]] routed_target& operator[](std::size_t i) noexcept { return i == 0 ? first_ : others_[i - 1]; }

    /// The next one that was not tried, those that seem to work first: whose breakers let a request through and whose
    /// provider has a key that is awake; then those whose keys rest. Null: there is none whose breakers would let it.
    [[nodiscard]] routed_target* next(base::steady_time now) noexcept;

    /// The caller's own key was refused: from now on `next` passes over what would be sent with the platform's, so that
    /// what one cannot pay for is not paid by the other.
    void own_keys_only() noexcept { own_only_ = true; }

    /// Whether the breakers of the target would let a request through.
    [[nodiscard]] static bool lets_through(const routed_target& t, base::steady_time now) noexcept;

    /// A model that was asked for before all others and could not be tried, since its provider is off.
    [[nodiscard]] const std::optional<route_target>& unavailable() const noexcept { return unavailable_; }

    /// Until the first breaker lets a request through again.
    [[nodiscard]] std::chrono::milliseconds opens_in(base::steady_time now) noexcept;

private:
    [[nodiscard]] base::result<void> add(routing_state& state, std::string_view requested, const char* param);
    [[nodiscard]] base::result<routed_target> find(routing_state& state, const route_target& target) const;
    [[nodiscard]] base::result<void> add_balanced(routing_state& state, const routing_request& wishes, bool stream);

    key_wish key_;
    bool several_ = false;
    bool own_only_ = false;
    routed_target first_;
    std::vector<routed_target> others_;
    std::optional<route_target> unavailable_;
    base::error why_unavailable_;
};

}  // namespace concurred::upstream
