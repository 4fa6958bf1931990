#pragma once

#include "auth/jwks.hpp"
#include "auth/session_verifier.hpp"
#include "gateway/base/event.hpp"
#include "gateway/base/logger.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/net/json_client.hpp"

#include <memory>
#include <string>
#include <vector>

namespace concurred::auth {

/// Signing keys of a project, fetched from its key set, with those that are configured beside them. Refreshed in the
/// background before they are too old; fetched at once, by one request for all that wait, when a token names a key that
/// is not there. Belongs to one shard.
class fetched_keys final : public session_keys {
public:
    struct params {
        base::executor executor;
        net::json_client::params client;  ///< `target` is the key set's URL without its last part
        std::string path;                 ///< that part, "/jwks.json"
        base::task_group& background;
        base::logger& log;
        std::vector<named_key> configured;  ///< always there
    };
    explicit fetched_keys(params p);

    [[nodiscard]] std::span<const named_key> known() noexcept override;
    [[nodiscard]] base::task<bool> learn(std::string key_id) override;
    void stop() noexcept override { client_.stop(); }

private:
    [[nodiscard]] base::task<> refresh();
    /// Completes with whether the set was fetched; joins a fetch that is under way.
    [[nodiscard]] base::task<bool> fetch();
    [[nodiscard]] base::task<bool> fetch_now();

    base::executor executor_;
    net::json_client client_;
    std::string path_;
    base::task_group& background_;
    base::logger& log_;
    std::vector<named_key> keys_;  // the configured ones first
    std::size_t configured_;
    jwks_schedule schedule_;
    bool fetching_ = false;
    bool last_result_ = false;
    std::vector<base::event*> waiting_;
};

}  // namespace concurred::auth
