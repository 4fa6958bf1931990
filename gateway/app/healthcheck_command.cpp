#include "gateway/app/healthcheck_command.hpp"

#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/app/http_probe.hpp"
#include "gateway/base/config_value.hpp"

#include <chrono>

namespace concurred::app {

namespace {

constexpr std::chrono::seconds budget{3};

/// A listener on all addresses is asked on the loopback one.
std::string ready_url(base::endpoint_config admin) {
    if (admin.host.empty() || admin.host == "0.0.0.0") {
        admin.host = "127.0.0.1";
    } else if (admin.host == "::") {
        admin.host = "::1";
    }
    return "http://" + base::to_text(admin) + "/readyz";
}

}  // namespace

int check_health(const healthcheck_options& options) {
    std::string text;
    if (options.url) {
        text = *options.url;
    } else {
        const auto loaded = load_or_complain(options.config);
        if (!loaded) {
            return exit_configuration;
        }
        const base::endpoint_config& admin = loaded->values->server.admin_listen;
        if (admin.port == 0) {
            return complain(exit_usage,
                            "server.admin_listen has port 0, so the port is known to the server only: give --url");
        }
        text = ready_url(admin);
    }
    const auto url = net::parse_url(text);
    if (!url) {
        return complain(exit_usage, base::text_of(url.error()));
    }
    if (url->tls) {
        return complain(exit_usage, "the URL must begin with http://: the admin listener has no TLS");
    }
    const auto answer = http_probe(*url, budget);
    if (!answer) {
        return complain(exit_failure, "not ready: " + text + ": " + std::string(base::text_of(answer.error())));
    }
    const std::string what =
        std::to_string(answer->status) + (answer->first_line.empty() ? "" : " " + printable(answer->first_line));
    if (answer->status < 200 || answer->status > 299) {
        return complain(exit_failure, "not ready: " + text + ": " + what);
    }
    say("ready: " + what + "\n");
    return exit_ok;
}

}  // namespace concurred::app
