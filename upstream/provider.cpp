#include "upstream/provider.hpp"

namespace concurred::upstream {

provider::provider(std::string name, const base::provider_config& config, net::url url)
    : name_(std::move(name)),
      config_(config),
      dialect_(dialect_of(name_)),
      url_(std::move(url)),
      head_start_("POST " + url_.path),
      head_rest_(" HTTP/1.1\r\nHost: " + url_.host_header() +
                 "\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
                 "User-Agent: concurred-gateway\r\n"),
      key_line_(std::string(dialect_.key_field) + config.api_key + "\r\n") {}

base::result<std::unique_ptr<provider>> provider::make(std::string name, const base::provider_config& config,
                                                       const surroundings& around) {
    auto url = net::parse_url(config.base_url);
    if (!url) {
        return url.error();
    }
    std::unique_ptr<provider> made(new provider(std::move(name), config, std::move(*url)));
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
