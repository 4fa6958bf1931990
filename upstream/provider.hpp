#pragma once

#include "crypto/secret_string.hpp"
#include "gateway/base/buffer_pool.hpp"
#include "gateway/base/config.hpp"
#include "gateway/base/key_list.hpp"
#include "gateway/net/connection_pool.hpp"
#include "gateway/net/dialer.hpp"
#include "gateway/net/resolver.hpp"
#include "gateway/net/url.hpp"
#include "upstream/circuit_breaker.hpp"
#include "upstream/client_tls.hpp"
#include "upstream/dialects.hpp"
#include "upstream/key_ring.hpp"
#include "upstream/ratio_budget.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::upstream {

/// How breakers of providers and models behave.
[[nodiscard]] breaker_policy breaker_policy_of(const base::routing_config& settings) noexcept;

/// One provider as one shard sees it: its address, its connections and what each request to it begins with.
class provider {
public:
    /// What all providers of a shard share. Outlives them.
    struct surroundings {
        base::executor executor;
        base::timing_wheel& wheel;
        net::resolver& resolver;
        const client_tls& tls;
        const base::routing_config& routing;
    };

    /// One of the platform's keys. Never log it.
    struct platform_key {
        std::string key;
        crypto::secret_string line;  ///< the field that carries it, complete
    };

    [[nodiscard]] static base::result<std::unique_ptr<provider>> make(std::string name,
                                                                      const base::provider_config& config,
                                                                      const surroundings& around);

    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] const base::provider_config& settings() const noexcept { return config_; }
    [[nodiscard]] const spoken_dialect& dialect() const noexcept { return dialect_; }
    [[nodiscard]] net::connection_pool& pool() noexcept { return *pool_; }
    [[nodiscard]] bool available() const noexcept { return !keys_.empty(); }

    /// How every request begins, up to the path below the base URL: "POST /v1".
    [[nodiscard]] std::string_view head_start() const noexcept { return head_start_; }
    /// What follows the path: version, host and the fields of every request but the key and those of the dialect, each
    /// line complete.
    [[nodiscard]] std::string_view head_rest() const noexcept { return head_rest_; }

    /// Which of the keys a request goes out with, and which rest.
    [[nodiscard]] key_ring& keys() noexcept { return ring_; }
    [[nodiscard]] const platform_key& key(std::size_t index) const noexcept { return keys_[index]; }

    /// Learns whether the provider can be reached at all.
    [[nodiscard]] circuit_breaker& breaker() noexcept { return breaker_; }
    /// How many repeats it may get.
    [[nodiscard]] ratio_budget& repeats() noexcept { return repeats_; }

private:
    provider(std::string name, const base::provider_config& config, net::url url, const base::routing_config& routing,
             const std::vector<base::weighted_key>& keys);

    std::string name_;
    base::provider_config config_;
    const spoken_dialect& dialect_;
    net::url url_;
    std::string head_start_;
    std::string head_rest_;
    std::vector<platform_key> keys_;
    key_ring ring_;
    circuit_breaker breaker_;
    ratio_budget repeats_;
    std::unique_ptr<net::dialer> dialer_;
    std::unique_ptr<net::connection_pool> pool_;
};

/// The providers of a shard by name.
class provider_table {
public:
    /// Errors: a base URL or a CA file that cannot be used, by the provider's name.
    [[nodiscard]] static base::result<provider_table> make(const base::config& config,
                                                           const provider::surroundings& around);

    /// Null: there is no provider of that name.
    [[nodiscard]] provider* find(std::string_view name) noexcept;
    [[nodiscard]] auto begin() noexcept { return providers_.begin(); }
    [[nodiscard]] auto end() noexcept { return providers_.end(); }

private:
    std::map<std::string, std::unique_ptr<provider>, std::less<>> providers_;
};

}  // namespace concurred::upstream
