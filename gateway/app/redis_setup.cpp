#include "gateway/app/redis_setup.hpp"

#include "crypto/tls_context.hpp"

#include <utility>

namespace concurred::app {

base::result<std::unique_ptr<redis_setup>> make_redis_setup(const base::redis_config& config, std::uint64_t seed) {
    if (config.url.empty()) {
        return std::unique_ptr<redis_setup>();
    }
    auto url = storage::parse_redis_url(config.url, !config.sentinel_master.empty());
    if (!url) {
        return url.error();
    }
    auto made = std::make_unique<redis_setup>();
    if (url->via == storage::redis_url::transport::tls) {
        auto tls = crypto::make_client_tls(config.ca_file);
        if (!tls) {
            return tls.error();
        }
        made->tls = std::move(*tls);
    }
    storage::redis_settings& settings = made->settings;
    settings.url = std::move(*url);
    settings.sentinel_master = config.sentinel_master;
    settings.sentinel_user = config.sentinel_user;
    settings.sentinel_password = config.sentinel_password;
    settings.client_name = config.client_name;
    settings.tls = made->tls.get();
    settings.command_timeout = config.command_timeout;
    settings.seed = seed;
    return made;
}

storage::redis_observer redis_reporter::observer() {
    return {.on_up =
                [this] {
                    trouble_.reset();
                    log_.info("redis is connected");
                },
            .on_down =
                [this](std::string_view why, storage::redis_errc code) {
                    if (trouble_ != code) {
                        trouble_ = code;
                        log_.warn("redis is away", {{"state", storage::to_text(code)}, {"detail", why}});
                    }
                }};
}

}  // namespace concurred::app
