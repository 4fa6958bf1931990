#include "upstream/provider.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

// Repeats that are always allowed, so that a quiet service may repeat too, and how many of them come back in a second.
constexpr unsigned repeat_reserve = 50;
constexpr unsigned repeats_per_second = 10;

std::vector<base::weighted_key> keys_of(const base::provider_config& config) {
    auto keys = base::parse_key_list(config.api_keys).value_or(std::vector<base::weighted_key>());
    const bool listed =
        std::any_of(keys.begin(), keys.end(), [&](const base::weighted_key& k) { return k.key == config.api_key; });
    if (!config.api_key.empty() && !listed) {
        keys.insert(keys.begin(), {config.api_key, 1});
    }
    return keys;
}

std::vector<unsigned> weights_of(const std::vector<base::weighted_key>& keys) {
    std::vector<unsigned> weights;
    for (const base::weighted_key& k : keys) {
        weights.push_back(k.weight);
    }
    return weights;
}

}  // namespace

breaker_policy breaker_policy_of(const base::routing_config& settings) noexcept {
    breaker_policy policy;
    policy.failures = settings.breaker_failures;
    policy.cooldown = settings.breaker_cooldown;
    policy.max_cooldown = 12 * settings.breaker_cooldown;
    return policy;
}

provider::provider(std::string name, const base::provider_config& config, net::url url,
                   const base::routing_config& routing, const std::vector<base::weighted_key>& keys)
    : name_(std::move(name)),
      config_(config),
      dialect_(dialect_of(name_)),
      url_(std::move(url)),
      head_start_("POST " + url_.path),
      head_rest_(" HTTP/1.1\r\nHost: " + url_.host_header() +
                 "\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
                 "User-Agent: concurred-gateway\r\n"),
      ring_(weights_of(keys)),
      breaker_(breaker_policy_of(routing)),
      repeats_(routing.retry_budget, repeat_reserve, repeats_per_second) {
    for (const base::weighted_key& k : keys) {
        keys_.push_back({k.key, crypto::secret_string(std::string(dialect_.key_field) + k.key + "\r\n")});
    }
}

base::result<std::unique_ptr<provider>> provider::make(std::string name, const base::provider_config& config,
                                                       const surroundings& around) {
    auto url = net::parse_url(config.base_url);
    if (!url) {
        return url.error();
    }
    std::unique_ptr<provider> made(
        new provider(std::move(name), config, std::move(*url), around.routing, keys_of(config)));
    made->dialer_ = net::make_dialer({.executor = around.executor,
                                      .wheel = around.wheel,
                                      .resolver = around.resolver,
                                      .target = made->url_,
                                      .tls = made->url_.tls ? around.tls.find(config.ca_file) : nullptr,
                                      .connect_timeout = config.connect_timeout});
    made->pool_ = std::make_unique<net::connection_pool>(
        around.executor, around.wheel, *made->dialer_,
        net::pool_params{
            .max_connections = config.max_connections, .pool_wait = config.pool_wait, .keepalive = config.keepalive});
    return made;
}

base::result<provider_table> provider_table::make(const base::config& config, const provider::surroundings& around) {
    provider_table table;
    for (const auto& [name, settings] : config.providers) {
        auto made = provider::make(name, settings, around);
        if (!made) {
            base::error e = made.error();
            e.message = "providers." + name + ": " + std::string(base::text_of(e));
            return e;
        }
        table.providers_.emplace(name, std::move(*made));
    }
    return table;
}

provider* provider_table::find(std::string_view name) noexcept {
    const auto found = providers_.find(name);
    return found == providers_.end() ? nullptr : found->second.get();
}

}  // namespace concurred::upstream
