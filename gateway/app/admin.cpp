#include "gateway/app/admin.hpp"

#include "gateway/base/metrics_text.hpp"
#include "gateway/http/error_body.hpp"

#include <chrono>

namespace concurred::app {

namespace {

constexpr std::string_view text_type = "text/plain; charset=utf-8";

http::response page(unsigned status, std::string_view type, std::string content) {
    http::response r;
    r.status = status;
    r.content_type = type;
    r.content = std::move(content);
    return r;
}

}  // namespace

void admin::begin(http::exchange& x) noexcept {
    x.arrived_at = std::chrono::system_clock::now();
    x.times.arrived = std::chrono::steady_clock::now();
    x.settings = &sources_.settings;
    x.headers.field("Cache-Control", "no-store");
}

base::task<http::response> admin::respond(http::exchange& x) {
    const bool reads = x.head.method == http::verb::get || x.head.method == http::verb::head;
    const std::string_view path = x.head.path;
    const bool known = path == "/livez" || path == "/readyz" || path == "/metrics";
    if (known && !reads) {
        x.headers.field("Allow", "GET, HEAD");
        co_return refuse(x, base::client_error(base::errc::method_not_allowed, {}));
    }
    if (path == "/livez") {
        const bool alive = sources_.alive();
        co_return page(alive ? 200 : 503, text_type, alive ? "ok\n" : "an event loop stands still\n");
    }
    if (path == "/readyz") {
        const std::string_view obstacle = sources_.obstacle();
        co_return page(obstacle.empty() ? 200 : 503, text_type,
                       obstacle.empty() ? "ok\n" : std::string(obstacle) + "\n");
    }
    if (path == "/metrics") {
        std::string text = co_await sources_.metrics();
        co_return page(200, base::metrics_content_type, std::move(text));
    }
    co_return refuse(x, base::client_error(base::errc::not_found, "Here are /livez, /readyz and /metrics."));
}

http::response admin::refuse(http::exchange&, const base::error& e) {
    return page(base::status_of(e), http::json_type, http::render_error(e));
}

}  // namespace concurred::app
