#include "gateway/base/metrics.hpp"

#include "gateway/base/metrics_text.hpp"
#include "tests/unit/base/prometheus_text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred::base;
using namespace std::chrono_literals;
using test::parse_prometheus;
using test::value_of;

namespace {

request_sample chat_sample() {
    request_sample sample;
    sample.route = "/api/v1/chat/completions";
    sample.provider = "openai";
    sample.model = "gpt-6-sol";
    sample.status = 200;
    sample.stream = true;
    sample.duration = 2s;
    sample.first_token = 300ms;
    sample.request_overhead = 40us;
    sample.response_overhead = 110us;
    sample.tokens = {10, 20, 5, 100, 40};
    sample.cost_nano_usd = 1'234'500;
    return sample;
}

auto page_of(const metrics& all) {
    return parse_prometheus(render_prometheus(all, {}));
}

using labels = std::map<std::string, std::string>;

}  // namespace

TEST_SUITE("base/metrics") {
    TEST_CASE("a new process has a page that is valid and has every family") {
        const auto page = page_of(metrics());
        for (const char* name : {"concurred_requests_total",
                                 "concurred_request_duration_seconds",
                                 "concurred_time_to_first_token_seconds",
                                 "concurred_overhead_seconds",
                                 "concurred_tokens_total",
                                 "concurred_cost_usd_total",
                                 "concurred_unpriced_requests_total",
                                 "concurred_active_requests",
                                 "concurred_active_streams",
                                 "concurred_connections",
                                 "concurred_rate_limited_total",
                                 "concurred_auth_failures_total",
                                 "concurred_upstream_attempts_total",
                                 "concurred_upstream_retries_total",
                                 "concurred_fallbacks_total",
                                 "concurred_upstream_key_rests_total",
                                 "concurred_hedges_total",
                                 "concurred_upstream_breakers",
                                 "concurred_upstream_keys",
                                 "concurred_upstream_connections",
                                 "concurred_usage_queue_depth",
                                 "concurred_usage_dropped_total",
                                 "concurred_usage_flush_failures_total",
                                 "concurred_client_aborts_total",
                                 "concurred_log_dropped_total",
                                 "concurred_draining",
                                 "concurred_build_info",
                                 "process_cpu_seconds_total",
                                 "process_resident_memory_bytes",
                                 "process_virtual_memory_bytes",
                                 "process_open_fds",
                                 "process_max_fds",
                                 "process_start_time_seconds"}) {
            CHECK_MESSAGE(page.contains(name), name);
        }
        CHECK_FALSE(page.contains("concurred_config_last_reload_successful"));
    }

    TEST_CASE("a request counts in every family it belongs to") {
        metrics m;
        m.request_ended(chat_sample());
        m.request_ended(chat_sample());
        const auto page = page_of(m);
        const labels model{{"provider", "openai"}, {"model", "gpt-6-sol"}};
        CHECK(value_of(page, "concurred_requests_total",
                       {{"route", "/api/v1/chat/completions"},
                        {"provider", "openai"},
                        {"model", "gpt-6-sol"},
                        {"status_class", "2xx"},
                        {"end_reason", "completed"}}) == 2);
        const labels route{{"route", "/api/v1/chat/completions"}, {"stream", "true"}};
        CHECK(value_of(page, "concurred_request_duration_seconds", route, "_count") == 2);
        CHECK(value_of(page, "concurred_request_duration_seconds", route, "_sum") == 4);
        CHECK(value_of(page, "concurred_time_to_first_token_seconds", model, "_sum") == doctest::Approx(0.6));
        CHECK(value_of(page, "concurred_overhead_seconds", {{"phase", "request"}}, "_sum") == doctest::Approx(0.00008));
        CHECK(value_of(page, "concurred_overhead_seconds", {{"phase", "response"}, {"le", "0.0001"}}, "_bucket") == 0);
        CHECK(value_of(page, "concurred_overhead_seconds", {{"phase", "response"}, {"le", "0.00025"}}, "_bucket") == 2);
        const std::pair<const char*, double> tokens[] = {
            {"prompt", 20}, {"cache_read", 40}, {"cache_write", 10}, {"completion", 200}, {"reasoning", 80}};
        for (const auto& [type, count] : tokens) {
            labels with = model;
            with["type"] = type;
            CHECK(value_of(page, "concurred_tokens_total", with) == count);
        }
        CHECK(page.at("concurred_cost_usd_total").samples.at(0).value_text == "0.002469");
        CHECK(page.at("concurred_unpriced_requests_total").samples.empty());
    }

    TEST_CASE("a refusal before routing has no provider and no tokens") {
        metrics m;
        request_sample sample;
        sample.route = "other";
        sample.status = 404;
        sample.end = end_reason::rejected;
        sample.duration = 80us;
        m.request_ended(sample);
        sample.status = 0;
        sample.end = end_reason::client_closed;
        m.request_ended(sample);
        const auto page = page_of(m);
        labels with{{"route", "other"},
                    {"provider", "none"},
                    {"model", "none"},
                    {"status_class", "4xx"},
                    {"end_reason", "rejected"}};
        CHECK(value_of(page, "concurred_requests_total", with) == 1);
        with["status_class"] = "none";
        with["end_reason"] = "client_closed";
        CHECK(value_of(page, "concurred_requests_total", with) == 1);
        CHECK(page.at("concurred_tokens_total").samples.empty());
        CHECK(page.at("concurred_time_to_first_token_seconds").samples.empty());
    }

    TEST_CASE("a model without a price is seen, not counted as free") {
        metrics m;
        request_sample sample = chat_sample();
        sample.unpriced = true;
        m.request_ended(sample);
        const auto page = page_of(m);
        CHECK(value_of(page, "concurred_unpriced_requests_total", {{"provider", "openai"}}) == 1);
        CHECK(page.at("concurred_cost_usd_total").samples.empty());
    }

    TEST_CASE("bounds of buckets are inclusive and written as plain decimals") {
        metrics m;
        request_sample sample = chat_sample();
        for (const auto value : {0ns, 25'000ns, 25'001ns, 100'000'000ns, 100'000'001ns, -5ns}) {
            sample.request_overhead = value;
            m.request_ended(sample);
        }
        const auto page = page_of(m);
        const auto bucket = [&](const char* le) {
            return value_of(page, "concurred_overhead_seconds", {{"phase", "request"}, {"le", le}}, "_bucket");
        };
        CHECK(bucket("0.000025") == 3);
        CHECK(bucket("0.00005") == 4);
        CHECK(bucket("0.1") == 5);
        CHECK(bucket("+Inf") == 6);
        const std::string text = render_prometheus(m, {});
        for (const char* le : {"le=\"0.001\"", "le=\"0.0025\"", "le=\"1\"", "le=\"60\"", "le=\"600\""}) {
            CHECK_MESSAGE(text.find(le) != std::string::npos, le);
        }
    }

    TEST_CASE("what routing counts, and its gauges summed over shards") {
        metrics one;
        metrics two;
        for (metrics* m : {&one, &two}) {
            m->retried("openai", "overloaded");
            m->fallback("openai", "timeout");
            m->key_rested("openai", "rate_limited");
            m->hedged("openai", "won");
            m->upstream_keys("openai", "awake", 2);
            m->breakers("openai", "", "open", 1);
            m->breakers("openai", "gpt-5.2", "open", m == &one ? 1 : 0);
        }
        one.merge(two);
        const auto page = page_of(one);
        CHECK(value_of(page, "concurred_upstream_retries_total", {{"provider", "openai"}, {"reason", "overloaded"}}) ==
              2);
        CHECK(value_of(page, "concurred_fallbacks_total", {{"provider", "openai"}, {"reason", "timeout"}}) == 2);
        CHECK(value_of(page, "concurred_upstream_key_rests_total",
                       {{"provider", "openai"}, {"reason", "rate_limited"}}) == 2);
        CHECK(value_of(page, "concurred_hedges_total", {{"provider", "openai"}, {"outcome", "won"}}) == 2);
        CHECK(value_of(page, "concurred_upstream_keys", {{"provider", "openai"}, {"state", "awake"}}) == 4);
        CHECK(value_of(page, "concurred_upstream_breakers",
                       {{"provider", "openai"}, {"model", "*"}, {"state", "open"}}) == 2);
        CHECK(value_of(page, "concurred_upstream_breakers",
                       {{"provider", "openai"}, {"model", "gpt-5.2"}, {"state", "open"}}) == 1);
    }

    TEST_CASE("the small counters and the gauges") {
        metrics m;
        m.auth_failure("missing");
        m.auth_failure("missing");
        m.rate_limited("key");
        m.client_aborted("stream");
        m.upstream_attempt("openai", "ok");
        m.upstream_attempt("openai", "timeout");
        m.upstream_attempt("openai", "ok");
        m.upstream_connections("openai", "idle", 7);
        m.upstream_connections("openai", "idle", 5);
        m.active_requests = 3;
        m.active_streams = 2;
        m.connections = 11;
        m.usage_queue_depth = 4;
        m.usage_dropped = 1;
        m.usage_flush_failures = 6;
        const auto page = page_of(m);
        CHECK(value_of(page, "concurred_auth_failures_total", {{"reason", "missing"}}) == 2);
        CHECK(value_of(page, "concurred_rate_limited_total", {{"scope", "key"}}) == 1);
        CHECK(value_of(page, "concurred_client_aborts_total", {{"stage", "stream"}}) == 1);
        CHECK(value_of(page, "concurred_upstream_attempts_total", {{"provider", "openai"}, {"outcome", "ok"}}) == 2);
        CHECK(value_of(page, "concurred_upstream_connections", {{"provider", "openai"}, {"state", "idle"}}) == 5);
        CHECK(value_of(page, "concurred_active_requests") == 3);
        CHECK(value_of(page, "concurred_active_streams") == 2);
        CHECK(value_of(page, "concurred_connections") == 11);
        CHECK(value_of(page, "concurred_usage_queue_depth") == 4);
        CHECK(value_of(page, "concurred_usage_dropped_total") == 1);
        CHECK(value_of(page, "concurred_usage_flush_failures_total") == 6);
    }

    TEST_CASE("merging adds up shards that met the labels in another order") {
        metrics a;
        metrics b;
        request_sample gemini = chat_sample();
        gemini.provider = "google";
        gemini.model = "gemini-4";
        gemini.route = "/api/chat";
        gemini.stream = false;
        a.request_ended(chat_sample());
        a.request_ended(gemini);
        b.request_ended(gemini);
        b.request_ended(gemini);
        b.request_ended(chat_sample());
        a.upstream_connections("openai", "idle", 1);
        b.upstream_connections("google", "idle", 2);
        b.upstream_connections("openai", "idle", 3);
        a.active_requests = 1;
        b.active_requests = 2;
        metrics all = a.snapshot();
        all.merge(b);

        metrics expected;
        for (int i = 0; i < 2; ++i) {
            expected.request_ended(chat_sample());
        }
        for (int i = 0; i < 3; ++i) {
            expected.request_ended(gemini);
        }
        expected.upstream_connections("openai", "idle", 4);
        expected.upstream_connections("google", "idle", 2);
        expected.active_requests = 3;
        CHECK(render_prometheus(all, {}) == render_prometheus(expected, {}));
        CHECK(value_of(page_of(a), "concurred_active_requests") == 1);
    }
}
