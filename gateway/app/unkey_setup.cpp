#include "gateway/app/unkey_setup.hpp"

#include "crypto/tls_context.hpp"
#include "gateway/net/url.hpp"

#include <string>
#include <string_view>

namespace concurred::app {

base::result<crypto::ssl_ctx_handle> make_unkey_tls(const base::config& settings) {
    if (!uses_unkey(settings)) {
        return crypto::ssl_ctx_handle();
    }
    const auto url = net::parse_url(settings.unkey.base_url);
    if (!url) {
        return base::gateway_error(base::errc::internal, "unkey.base_url: " + std::string(base::text_of(url.error())));
    }
    if (!url->tls) {
        return crypto::ssl_ctx_handle();
    }
    auto context = crypto::make_client_tls(settings.unkey.ca_file);
    if (!context) {
        return base::gateway_error(base::errc::internal,
                                   "unkey.ca_file: " + std::string(base::text_of(context.error())));
    }
    return context;
}

auth::key_record_codec make_record_codec(const base::config& settings, const crypto::key_ring& master) {
    return auth::key_record_codec(master.empty() ? std::string_view(settings.unkey.verify_key) : master.active());
}

auth::unkey_client::params unkey_params(const base::config& settings, base::executor shard, base::timing_wheel& wheel,
                                        net::resolver& resolver, SSL_CTX* tls, base::logger& log, unsigned shards) {
    return {.connection = {.executor = shard,
                           .wheel = wheel,
                           .resolver = resolver,
                           .target = net::parse_url(settings.unkey.base_url).value(),
                           .tls = tls,
                           .connect_timeout = settings.unkey.timeout},
            .settings = settings.unkey,
            .default_rate_limit = settings.limits.default_rate_limit,
            .shards = shards,
            .log = log};
}

}  // namespace concurred::app
