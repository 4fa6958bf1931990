#pragma once

#include "gateway/http/handler.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

namespace concurred::app {

/// The admin listener's three pages, for probes and scrapes only: /livez, /readyz, /metrics. Belongs to the control
/// thread.
class admin final : public http::application {
public:
    struct sources {
        const base::config& settings;
        std::function<bool()> alive;                       ///< false when an event loop stands still
        std::function<std::string_view()> obstacle;        ///< why it is not ready; empty: it is
        std::function<base::task<std::string>()> metrics;  ///< completes with the page
    };

    explicit admin(sources s) : sources_(std::move(s)) {}

    void begin(http::exchange& x) noexcept override;
    [[nodiscard]] base::task<http::response> respond(http::exchange& x) override;
    [[nodiscard]] http::response refuse(http::exchange& x, const base::error& e) override;
    void end(http::exchange&, const http::transfer&) noexcept override {}

private:
    sources sources_;
};

}  // namespace concurred::app
