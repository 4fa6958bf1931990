#pragma once

#include "gateway/net/json_client.hpp"
#include "upstream/owner_keys.hpp"
#include "upstream/provider.hpp"

#include <map>
#include <memory>
#include <string>

namespace concurred::upstream {

/// What a provider says to a key.
struct probe_answer {
    bool works = false;
    unsigned status = 0;  ///< the provider's HTTP status
};

/// Asks providers whether a key works, by the call that costs nothing: their list of models, or what they tell of a
/// key. Has connections of its own: a key that is tried must not share one with requests. Belongs to one shard.
class provider_probe {
public:
    /// @param around outlives the probe
    provider_probe(const base::config& settings, const provider::surroundings& around)
        : settings_(settings), around_(around) {}

    /// Whether a provider is one that can be asked.
    [[nodiscard]] static bool knows(std::string_view provider) noexcept;

    /// Completes with what the provider says. @param key lives until then
    /// Errors: upstream_error and upstream_timeout when it could not be asked, without a word of its answer.
    [[nodiscard]] base::task<base::result<probe_answer>> ask(std::string provider, const owner_credential& key);

    /// Ends all calls; for the end of the process.
    void stop() noexcept;

private:
    [[nodiscard]] base::result<net::json_client*> client_for(const std::string& provider);

    const base::config& settings_;
    provider::surroundings around_;
    std::map<std::string, std::unique_ptr<net::json_client>> clients_;
};

}  // namespace concurred::upstream
