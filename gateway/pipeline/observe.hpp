#pragma once

#include "crypto/random.hpp"
#include "gateway/base/access_log.hpp"
#include "gateway/base/logger.hpp"
#include "gateway/base/metrics.hpp"
#include "gateway/http/handler.hpp"
#include "gateway/pipeline/usage_ledger.hpp"

namespace concurred::pipeline {

/// The outermost of the chain: gives every exchange its id and its clock, turns errors and exceptions into answers, and
/// sees every outcome, refusals too. Belongs to one shard.
class observe final : public http::application {
public:
    struct surroundings {
        const base::config& settings;
        base::logger& log;
        base::access_log& access;
        base::metrics& metrics;
        usage_ledger& ledger;
    };

    observe(const surroundings& around, http::handler& next) : around_(around), next_(next) {}

    void begin(http::exchange& x) noexcept override;
    [[nodiscard]] base::task<http::response> respond(http::exchange& x) override;
    [[nodiscard]] http::response refuse(http::exchange& x, const base::error& e) override;
    void end(http::exchange& x, const http::transfer& t) noexcept override;

private:
    void log_access(const http::exchange& x, const http::transfer& t, const base::request_sample& sample);
    [[nodiscard]] http::response render(http::exchange& x, const base::error& e);
    void count_refusal(const base::error& e);
    void report(const http::exchange& x, const base::error& e);

    surroundings around_;
    http::handler& next_;
    crypto::random_pool random_;
};

/// `Server-Timing`, by the milestones that were reached: "auth;dur=0.012, limit;dur=0.001, ..." in ms. Source: W3C
/// Server Timing; what each name covers is in README.md.
[[nodiscard]] base::text_buffer<256> server_timing(const http::milestones& times, base::steady_time now) noexcept;

}  // namespace concurred::pipeline
