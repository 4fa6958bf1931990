#include "gateway/base/access_log.hpp"

#include "tests/unit/base/log_capture.hpp"

#include <doctest/doctest.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

using namespace concurred::base;
using namespace std::chrono_literals;

namespace {

access_entry full_entry() {
    access_entry entry;
    entry.ts = wall_time(1'795'428'000'123ms);
    entry.request_id = "req_01JD";
    entry.client_request_id = "their-7";
    entry.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    entry.span_id = "00f067aa0ba902b7";
    entry.client_address = "2001:db8::1";
    entry.method = "POST";
    entry.route = "/api/v1/chat/completions";
    entry.status = 200;
    entry.bytes_in = 1234;
    entry.bytes_out = 56789;
    entry.duration = 812'345us;
    entry.first_token = 240'100us;
    entry.upstream = 811'900us;
    entry.overhead = 310us;
    entry.stream = true;
    entry.end_reason = end_reason::client_closed;
    entry.key_id = "key_1";
    entry.owner = "owner_1";
    entry.provider = "openai";
    entry.model_requested = "gpt";
    entry.model_served = "gpt-6-sol";
    entry.byok = true;
    entry.tokens = token_counts{10, 20, 5, 100, 40};
    entry.cost_nano_usd = 1'234'500;
    entry.retries = 1;
    entry.fallback_from = "claude";
    entry.user_agent = "OpenAI/Python 2.1";
    entry.upstream_request_id = "up-9";
    return entry;
}

access_entry refused_entry() {
    access_entry entry;
    entry.ts = wall_time(1'795'428'000'123ms);
    entry.request_id = "req_2";
    entry.client_address = "192.0.2.1";
    entry.method = "POST";
    entry.route = "/api/v1/chat/completions";
    entry.status = 401;
    entry.bytes_out = 180;
    entry.duration = 95us;
    entry.overhead = 95us;
    entry.end_reason = end_reason::rejected;
    return entry;
}

std::vector<std::string> written(log_format format, const access_entry& entry) {
    test::log_capture capture;
    access_log log(capture.writer, format);
    log.write(entry);
    log.flush();
    return capture.access_lines();
}

}  // namespace

TEST_SUITE("base/access_log") {
    TEST_CASE("a line has every field under its documented name") {
        CHECK(written(log_format::json, full_entry()) ==
              std::vector<std::string>{
                  R"({"ts":"2026-11-23T10:00:00.123Z","request_id":"req_01JD","client_request_id":"their-7",)"
                  R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7",)"
                  R"("client.address":"2001:db8::1","method":"POST","route":"/api/v1/chat/completions","status":200,)"
                  R"("bytes_in":1234,"bytes_out":56789,"duration_ms":812.345,"ttft_ms":240.100,"upstream_ms":811.900,)"
                  R"("overhead_ms":0.310,"stream":true,"end_reason":"client_closed","key_id":"key_1",)"
                  R"("owner":"owner_1","provider":"openai","model_requested":"gpt","model_served":"gpt-6-sol",)"
                  R"("byok":true,"input_tokens":35,"output_tokens":140,"cost_usd":0.0012345,"retries":1,)"
                  R"("fallback_from":"claude","user_agent":"OpenAI/Python 2.1","upstream_request_id":"up-9"})"});
    }

    TEST_CASE("what is not known has no field") {
        CHECK(written(log_format::json, refused_entry()) ==
              std::vector<std::string>{
                  R"({"ts":"2026-11-23T10:00:00.123Z","request_id":"req_2","client.address":"192.0.2.1",)"
                  R"("method":"POST","route":"/api/v1/chat/completions","status":401,"bytes_in":0,"bytes_out":180,)"
                  R"("duration_ms":0.095,"overhead_ms":0.095,"stream":false,"end_reason":"rejected","byok":false,)"
                  R"("retries":0})"});
    }

    TEST_CASE("a terminal gets a short line") {
        CHECK(written(log_format::text, full_entry()) ==
              std::vector<std::string>{
                  "10:00:00.123 200 POST /api/v1/chat/completions 812.345ms ttft=240.100ms overhead=0.310ms "
                  "provider=openai model=gpt-6-sol tokens=35+140 usd=0.0012345 end=client_closed key=key_1 "
                  "id=req_01JD"});
        CHECK(written(log_format::text, refused_entry()) ==
              std::vector<std::string>{"10:00:00.123 401 POST /api/v1/chat/completions 0.095ms overhead=0.095ms "
                                       "end=rejected id=req_2"});
    }

    TEST_CASE("no client can forge a line or a field") {
        for (const std::string& text : test::hostile_texts()) {
            access_entry entry = refused_entry();
            entry.method = entry.model_requested = entry.user_agent = entry.client_request_id = text;
            const auto lines = written(log_format::json, entry);
            REQUIRE(lines.size() == 1);
            boost::json::error_code failure;
            const auto line = boost::json::parse(lines[0], failure);
            REQUIRE_MESSAGE(!failure, lines[0]);
            CHECK(line.as_object().size() == 14 + 3);
            CHECK(line.at("status").as_int64() == 401);
            CHECK(written(log_format::text, entry).size() == 1);
        }
    }

    TEST_CASE("texts that a client chooses are short in the log") {
        access_entry entry = refused_entry();
        entry.user_agent = entry.model_requested = "";
        const std::size_t without = written(log_format::json, entry).at(0).size();
        const std::string agent(30'000, 'a');
        entry.user_agent = agent;
        CHECK(written(log_format::json, entry).at(0).size() < without + 300);
    }

    TEST_CASE("lines leave the shard when 32 KiB are full, and none is lost") {
        test::log_capture capture;
        access_log log(capture.writer, log_format::json);
        const std::size_t line = written(log_format::json, refused_entry()).at(0).size() + 1;
        const std::size_t lines_per_block = 32 * 1024 / line + 1;
        for (std::size_t i = 0; i + 1 < lines_per_block; ++i) {
            log.write(refused_entry());
        }
        CHECK(capture.access_lines().empty());
        log.write(refused_entry());
        CHECK(capture.access_lines().size() == lines_per_block);
        log.write(refused_entry());
        log.flush();
        CHECK(capture.access_lines().size() == lines_per_block + 1);
    }

    TEST_CASE("a log that is switched off writes nothing") {
        test::log_capture capture;
        access_log log(capture.writer, log_format::json, false);
        log.write(full_entry());
        log.flush();
        CHECK(capture.access_lines().empty());
        CHECK(capture.writer.dropped() == 0);
    }

    TEST_CASE("every end reason has a name") {
        const std::pair<end_reason, std::string_view> rows[] = {
            {end_reason::completed, "completed"}, {end_reason::client_closed, "client_closed"},
            {end_reason::timeout, "timeout"},     {end_reason::upstream_error, "upstream_error"},
            {end_reason::drain, "drain"},         {end_reason::rejected, "rejected"},
            {end_reason::aborted, "aborted"},
        };
        for (const auto& [reason, name] : rows) {
            access_entry entry = refused_entry();
            entry.end_reason = reason;
            const auto line = boost::json::parse(written(log_format::json, entry).at(0));
            CHECK(line.at("end_reason").as_string() == name);
        }
    }
}
