#include "gateway/base/metrics_text.hpp"

#include "tests/unit/base/prometheus_text.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <string>

using namespace concurred::base;
using namespace std::chrono_literals;
using test::parse_prometheus;
using test::value_of;

namespace {

request_sample sample_of(std::string_view model) {
    request_sample sample;
    sample.route = "/api/v1/chat/completions";
    sample.provider = "openai";
    sample.model = model;
    sample.status = 200;
    sample.duration = 2s;
    sample.tokens.prompt = 10;
    return sample;
}

auto page_of(const metrics& all, const process_info& process = {}) {
    return parse_prometheus(render_prometheus(all, process));
}

}  // namespace

TEST_SUITE("base/metrics_text") {
    TEST_CASE("names with quotes, backslashes and newlines stay inside their label") {
        for (const std::string name : {"a\"b", "a\\b", "a\nb", "a\"} 1\nforged_total 5", "\\\"", "\\n",
                                       "Gr\xC3\xBC\xC3\x9F"
                                       "e"}) {
            metrics m;
            m.request_ended(sample_of(name));
            const auto page = page_of(m);
            CHECK(page.at("concurred_requests_total").samples.at(0).labels.at("model") == name);
            CHECK_FALSE(page.contains("forged_total"));
        }
    }

    TEST_CASE("names that no page can show are counted as other") {
        metrics m;
        for (const std::string& name : {std::string("\xFF"), std::string("a\x01"), std::string("\x1b[0m"),
                                        std::string(129, 'x'), std::string("nul\0", 4), std::string("\xC2\x85")}) {
            m.request_ended(sample_of(name));
        }
        const auto page = page_of(m);
        REQUIRE(page.at("concurred_requests_total").samples.size() == 1);
        CHECK(page.at("concurred_requests_total").samples[0].labels.at("model") == "other");
        CHECK(page.at("concurred_requests_total").samples[0].value == 6);
    }

    TEST_CASE("20,000 invented names make a bounded page, and no request is missing in it") {
        metrics m;
        constexpr int total = 20'000;
        for (int i = 0; i < total; ++i) {
            const std::string name = "invented-" + std::to_string(i);
            request_sample sample = sample_of(name);
            if (i % 2 == 0) {
                sample.route = name;
                sample.provider = name;
            }
            m.request_ended(sample);
            m.auth_failure(name);
            m.upstream_attempt(name, name);
        }
        const auto page = page_of(m);
        CHECK(page.at("concurred_requests_total").samples.size() <= 8193);
        CHECK(page.at("concurred_tokens_total").samples.size() <= 5 * 1025);
        CHECK(page.at("concurred_auth_failures_total").samples.size() <= 65);
        CHECK(page.at("concurred_upstream_attempts_total").samples.size() <= 1025);
        CHECK(page.at("concurred_request_duration_seconds").samples.size() <= 129 * 2 * 21);
        double sum = 0;
        for (const auto& sample : page.at("concurred_requests_total").samples) {
            sum += sample.value;
        }
        CHECK(sum == total);
    }

    TEST_CASE("what the process knows of itself") {
        process_info process;
        process.version = "0.1.0";
        process.commit = "abc\"def";
        process.started = wall_time(1'795'428'000'123ms);
        process.usage = {1000, 2000, 30, 1024, 1'500'000'000ns};
        process.draining = true;
        process.log_lines_dropped = 9;
        process.last_reload_successful = false;
        process.last_reload_success = wall_time(1'795'428'000'000ms);
        const auto page = page_of(metrics(), process);
        CHECK(value_of(page, "concurred_build_info", {{"version", "0.1.0"}, {"commit", "abc\"def"}}) == 1);
        CHECK(page.at("process_start_time_seconds").samples.at(0).value_text == "1795428000.123");
        CHECK(value_of(page, "process_cpu_seconds_total") == 1.5);
        CHECK(value_of(page, "process_resident_memory_bytes") == 1000);
        CHECK(value_of(page, "process_virtual_memory_bytes") == 2000);
        CHECK(value_of(page, "process_open_fds") == 30);
        CHECK(value_of(page, "process_max_fds") == 1024);
        CHECK(value_of(page, "concurred_draining") == 1);
        CHECK(value_of(page, "concurred_log_dropped_total") == 9);
        CHECK(value_of(page, "concurred_config_last_reload_successful") == 0);
        CHECK(value_of(page, "concurred_config_last_reload_success_timestamp_seconds") == 1'795'428'000);
    }

    TEST_CASE("the system's figures are there and follow what the process does") {
        const process_usage before = read_process_usage();
        CHECK(before.resident_bytes > 100'000);
        CHECK(before.virtual_bytes >= before.resident_bytes);
        CHECK(before.cpu_time > 0ns);
        CHECK(before.max_fds >= before.open_fds);
        const int fd = ::dup(0);
        REQUIRE(fd >= 0);
        CHECK(read_process_usage().open_fds == before.open_fds + 1);
        ::close(fd);
        CHECK(read_process_usage().open_fds == before.open_fds);
    }
}
