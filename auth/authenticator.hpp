#pragma once

#include "auth/address_limits.hpp"
#include "auth/key_cache.hpp"
#include "auth/key_overrides.hpp"
#include "auth/key_source.hpp"
#include "auth/key_state.hpp"
#include "auth/principal.hpp"
#include "gateway/base/event.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/http/exchange.hpp"

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace concurred::auth {

/// Verifies API keys for one shard: its cache first, then the key source, once for all requests that ask for the same
/// key at the same time.
class authenticator {
public:
    enum class outcome : std::uint8_t { good, bad, unknown };
    struct answer {
        outcome state = outcome::unknown;
        const principal* who = nullptr;          ///< for good; valid until the next call
        key_status why = key_status::not_found;  ///< for bad
    };

    /// All references outlive the authenticator. `failures` is charged for failed attempts, by client address.
    /// @param overrides what was changed here and the source may not tell yet; null: the source is never behind
    authenticator(base::executor shard, const key_cache_params& params, key_state_table& states, key_source& source,
                  address_limiter& failures, base::task_group& background, const key_overrides* overrides = nullptr);

    [[nodiscard]] crypto::digest256 digest(std::string_view key) noexcept { return hasher_(key); }

    /// What is known without asking anybody. May start a refresh in the background.
    /// @param key digest of `text`, which is the key itself
    [[nodiscard]] answer find(const crypto::digest256& key, std::string_view text, base::steady_time now,
                              base::wall_time wall);

    /// Completes when the source has answered. Errors: invalid_api_key, forbidden, rate_limit_exceeded: what the source
    /// says of the key; rate_limit_exceeded after too many failures of this client; service_unavailable.
    /// @return valid until the caller next waits.
    [[nodiscard]] base::task<base::result<const principal*>> look_up(crypto::digest256 key, crypto::secret_string text,
                                                                     http::client_address client);

    /// The answer for a key that is not good. For a bad one it charges the client's address.
    [[nodiscard]] base::error refuse(const http::client_address& client, key_status why);

private:
    /// Somebody who waits for a fill that another has begun.
    struct passenger {
        base::event* landed;
        base::result<void>* outcome;
    };

    [[nodiscard]] base::task<base::result<void>> fill(crypto::digest256 key, const crypto::secret_string& text,
                                                      bool known);
    [[nodiscard]] base::task<> refresh(crypto::digest256 key, crypto::secret_string text);
    [[nodiscard]] base::result<bool> keep(const fill_ticket& ticket, const crypto::digest256& key, key_answer said);
    [[nodiscard]] base::error refused(const limit_decision& decision) const;

    base::executor shard_;
    crypto::sha256_hasher hasher_;
    key_state_table& states_;
    key_cache cache_;
    key_source& source_;
    address_limiter& failures_;
    base::task_group& background_;
    const key_overrides* overrides_;
    std::map<crypto::digest256, std::vector<passenger>> flights_;  // keys being asked for, and who waits besides
};

}  // namespace concurred::auth
