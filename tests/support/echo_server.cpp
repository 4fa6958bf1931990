// An origin made of the real server layer: answers GET with OK, echoes bodies, header fields and cookies. Prints
// `echo server listening on HOST:PORT` and serves until SIGTERM.

#include "gateway/http/error_body.hpp"
#include "gateway/net/wheel_driver.hpp"
#include "gateway/server/listener.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace concurred {

namespace {

constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::size_t body_limit = std::size_t{1} << 30U;

/// What the cases of the probe expect of an origin.
class echo final : public http::application {
public:
    void begin(http::exchange& x) noexcept override { x.arrived_at = std::chrono::system_clock::now(); }

    base::task<http::response> respond(http::exchange& x) override {
        switch (x.head.method) {
            case http::verb::get:
            case http::verb::head:
                co_return page(x.head.path == "/echo"     ? fields(x.head)
                               : x.head.path == "/cookie" ? cookies(x.head)
                                                          : std::string("OK"));
            case http::verb::post: {
                const base::result<std::string_view> body = co_await x.body->read();
                if (!body) {
                    co_return refuse(x, body.error());
                }
                co_return page(x.head.path == "/echo" ? fields(x.head) : std::string(*body));
            }
            case http::verb::options: {
                x.headers.field("Allow", methods);
                http::response r;
                r.status = 204;
                co_return r;
            }
            case http::verb::unknown:
                co_return render(base::client_error(base::errc::not_implemented, {}));
            default:
                x.headers.field("Allow", methods);
                co_return render(base::client_error(base::errc::method_not_allowed, {}));
        }
    }

    http::response refuse(http::exchange&, const base::error& e) override {
        http::response r = render(e);
        r.close = true;
        return r;
    }

    void end(http::exchange&, const http::transfer&) noexcept override {}

private:
    static constexpr std::string_view methods = "GET, HEAD, POST, OPTIONS";

    static http::response page(std::string content) {
        http::response r;
        r.content_type = text_type;
        r.content = std::move(content);
        return r;
    }

    static http::response render(const base::error& e) {
        http::response r;
        r.status = base::status_of(e);
        r.content = http::render_error(e);
        return r;
    }

    static std::string fields(const http::request_head& head) {
        std::string out;
        for (const http::field& f : head.fields()) {
            out.append(f.name).append(": ").append(f.value).append("\n");
        }
        return out;
    }

    static std::string cookies(const http::request_head& head) {
        std::string out;
        for (const http::field& f : head.fields()) {
            if (!http::iequals(f.name, "cookie")) {
                continue;
            }
            for (std::string_view rest = f.value; !rest.empty();) {
                const auto end = std::min(rest.find(';'), rest.size());
                std::string_view pair = rest.substr(0, end);
                pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
                out.append(pair).append("\n");
                rest.remove_prefix(std::min(end + 1, rest.size()));
            }
        }
        return out;
    }
};

int run() {
    boost::asio::io_context io(1);
    base::timing_wheel wheel(std::chrono::steady_clock::now());
    net::wheel_driver driver(io.get_executor(), wheel);
    base::buffer_pool buffers;
    server::exchange_pool exchanges;
    server::date_text date;
    echo application;
    base::limits_config limits;
    limits.body_bytes = body_limit;
    server::session_context context{.executor = io.get_executor(),
                                    .wheel = wheel,
                                    .buffers = buffers,
                                    .exchanges = exchanges,
                                    .date = date,
                                    .application = application,
                                    .limits = limits};
    server::listener listener(context, {.tls = nullptr, .max_sessions = 0, .on_trouble = {}});
    const auto bound = listener.open({"127.0.0.1", 0});
    if (!bound) {
        std::fprintf(stderr, "%s\n", std::string(base::text_of(bound.error())).c_str());
        return 69;
    }
    driver.start();
    listener.start();
    boost::asio::basic_signal_set<base::executor> signals(io.get_executor(), SIGTERM, SIGINT);
    signals.async_wait([&](boost::system::error_code, int) {
        listener.close();
        listener.kill();
        driver.stop();
    });
    std::printf("echo server listening on %s:%u\n", bound->host.c_str(), static_cast<unsigned>(bound->port));
    std::fflush(stdout);
    io.run();
    return 0;
}

}  // namespace

}  // namespace concurred

int main() {
    return concurred::run();
}
