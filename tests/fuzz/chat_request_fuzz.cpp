// sources: upstream/body_splice.cpp upstream/chat_request.cpp upstream/chat_fields.cpp gateway/http/json_scan.cpp
// sources: gateway/http/json_string.cpp gateway/base/error.cpp
//
// A spliced body is valid JSON, parses again with the new model and without the gateway's own fields, and is otherwise
// the same document. Half of the inputs are taken as they are, half are instructions to build a request from fragments.

#include "gateway/http/json_scan.hpp"
#include "upstream/body_splice.hpp"
#include "upstream/chat_request.hpp"

#include <boost/json.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace concurred;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

constexpr std::array<std::string_view, 32> fragments{
    R"("model":"gpt")",
    R"("model" : "g\u0070t-5")",
    R"("mod\u0065l":"a\"b")",
    R"("messages":[{"role":"user","content":"hi"}])",
    R"("messages" :[1])",
    R"("stream":true)",
    R"("stre\u0061m": true)",
    R"("stream":false)",
    R"("stream":null)",
    R"("stream_options":{})",
    R"("stream_options": { })",
    R"("stream_options":null)",
    R"("stream_options":{"include_usage":false})",
    R"("stream_options":{"include_usage": true, "x":1})",
    R"("stream_options":{"x":{"include_usage":1} , "include\u005fusage":null })",
    R"("stream_options":{"x":[]})",
    R"("retries":3)",
    R"("r\u0065tries": 0)",
    R"("timeout":5000)",
    R"("fallback":["a","b"])",
    R"("fallback":null)",
    R"("load_balance":{"strategy":"random"})",
    R"("guardrails":{})",
    R"("prompt_id":"p")",
    R"("prompt_version":2)",
    R"("prompt_variables":{"a":"}"})",
    R"("temperature":0.7)",
    R"("x":{"model":"other","retries":1})",
    R"("y":[",\"retries\":1"])",
    R"("":null)",
    R"("n":1e5)",
    R"("user":"\u00e9 \ud83d\ude00")",
};

std::string build(std::string_view instructions) {
    constexpr std::array<std::string_view, 4> separators{",", " , ", ",\n  ", "\t,"};
    std::string body = "{";
    for (std::size_t i = 0; i < instructions.size() && i < 24; ++i) {
        const auto byte = static_cast<std::uint8_t>(instructions[i]);
        body += i == 0 ? std::string_view() : separators[byte >> 6];
        body += fragments[byte & 31];
    }
    return body + (instructions.size() % 2 == 0 ? "}" : " }\n");
}

void check(const std::string& body, std::string_view model, bool ask_usage) {
    const auto parsed = upstream::parse_chat_request(body);
    if (!parsed) {
        require(base::status_of(parsed.error()) == 400 && !parsed.error().message.empty());
        return;
    }
    std::string scratch;
    const auto spliced = upstream::splice_body(body, *parsed, model, ask_usage, scratch);
    const std::string out = spliced.joined();
    require(out.size() == spliced.size());
    require(!http::check_json(out).has_value());
    const auto again = upstream::parse_chat_request(out);
    require(again.has_value() && again->model() == model && again->cuts().empty());
    require(again->stream == parsed->stream && again->messages == parsed->messages);
    require(again->include_usage == (parsed->include_usage || (ask_usage && parsed->stream)));

    boost::system::error_code ec;
    boost::json::parse_options options;
    options.max_depth = http::max_json_depth;
    boost::json::value before = boost::json::parse(body, ec, {}, options);
    if (ec) {
        require(ec == boost::json::error::exponent_overflow);
        return;
    }
    boost::json::object& expected = before.as_object();
    expected["model"] = model;
    for (const char* name : {"fallback", "retries", "timeout", "load_balance", "guardrails", "prompt_id",
                             "prompt_version", "prompt_variables"}) {
        expected.erase(name);
    }
    if (ask_usage && parsed->stream) {
        boost::json::value& stream_options = expected["stream_options"];
        if (!stream_options.is_object()) {
            stream_options.emplace_object();
        }
        stream_options.as_object()["include_usage"] = true;
    }
    require(boost::json::parse(out, {}, options) == before);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    constexpr std::array<std::string_view, 4> models{"gpt", "openai/gpt-5.2", "a\"b\\\n", "m"};
    const std::string body = (*data & 1) != 0 ? build(input) : std::string(input);
    check(body, models[(*data >> 1) & 3], (*data & 8) != 0);
    return 0;
}
