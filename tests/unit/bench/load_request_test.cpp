#include "bench/load_request.hpp"

#include <doctest/doctest.h>
#include <boost/json/parse.hpp>

#include <string>

using concurred::bench::make_load_request;
using concurred::bench::request_kind;

namespace {

const concurred::net::url target{false, "127.0.0.1", 8'080, "/api/v1"};

}  // namespace

TEST_SUITE("bench/load_request") {
    TEST_CASE("a request is whole around its key, with the length of its body") {
        request_kind kind;
        kind.mock = "tokens=3;stamp";
        kind.fields = R"("max_tokens":5)";
        kind.stream = true;
        kind.prompt = 100;
        const auto made = make_load_request(kind, target, "openai/", {"X-One: 1"}, {"ck_a", "ck_b"});
        CHECK(made.keys.size() == 2);
        const std::string text = made.before_key + made.keys[1] + made.after_key;
        CHECK(text.starts_with("POST /api/v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"));
        CHECK(text.find("\r\nX-One: 1\r\n") != std::string::npos);
        CHECK(text.find("\r\nAuthorization: Bearer ck_b\r\n\r\n{") != std::string::npos);
        const std::string body = text.substr(text.find("\r\n\r\n") + 4);
        CHECK(text.find("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n") != std::string::npos);
        const auto parsed = boost::json::parse(body);
        CHECK(parsed.at("model").as_string() == "openai/mock-tokens=3;stamp");
        CHECK(parsed.at("messages").at(0).at("content").as_string().size() == 100);
        CHECK(parsed.at("stream").as_bool());
        CHECK(parsed.at("max_tokens").as_int64() == 5);
    }

    TEST_CASE("without keys there is no credential, and a model is taken as it stands") {
        request_kind kind;
        kind.model = "gpt-x";
        kind.path = "/messages";
        const auto made = make_load_request(kind, target, "openai/", {}, {});
        const std::string text = made.before_key + made.after_key;
        CHECK(text.starts_with("POST /api/v1/messages HTTP/1.1\r\n"));
        CHECK(text.find("Authorization") == std::string::npos);
        CHECK(text.find(R"("model":"gpt-x")") != std::string::npos);
        CHECK(text.find("\"stream\"") == std::string::npos);
    }
}
