// sources: upstream/google_dialect.cpp upstream/google_request.cpp upstream/google_fields.cpp
// sources: upstream/google_contents.cpp upstream/google_parts.cpp upstream/google_tools.cpp
// sources: upstream/google_model.cpp upstream/google_schema.cpp upstream/google_schema_parts.cpp
// sources: upstream/google_answer.cpp upstream/google_whole.cpp upstream/google_grounding.cpp upstream/google_event.cpp
// sources: upstream/google_error.cpp upstream/chunk_writer.cpp upstream/json_parts.cpp upstream/data_url.cpp
// sources: upstream/provider_error.cpp upstream/error_fields.cpp upstream/error_verdict.cpp upstream/retry_after.cpp
// sources: upstream/scrub.cpp gateway/http/json_scan.cpp gateway/http/json_string.cpp gateway/http/sse_frame.cpp
// sources: gateway/http/request_head.cpp gateway/http/request_line.cpp gateway/base/error.cpp
// sources: gateway/base/json_text.cpp crypto/digest.cpp crypto/random.cpp crypto/openssl_handles.cpp -lcrypto
// sources: upstream/call_id.cpp upstream/token_pattern.cpp
//
// Gemini's dialect: any stream comes out the same however it is cut, and everything that goes out, requests too, is
// valid JSON.

#include "gateway/http/json_scan.hpp"
#include "upstream/dialect.hpp"
#include "upstream/google_schema.hpp"

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

using namespace concurred;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

constexpr upstream::translation_context context{
    .upstream_model = "gemini-2.5-flash", .answer_model = "m", .stream = true, .include_usage = true, .created = 1};

/// Ids that are random when the provider gave none differ from run to run.
std::string without_ids(std::string text) {
    constexpr std::string_view mark = "\"id\":\"chatcmpl-";
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += mark.size()) {
        text.erase(at + mark.size(), text.find('"', at + mark.size()) - at - mark.size());
    }
    constexpr std::string_view call = "\"id\":\"call_";
    for (std::size_t at = 0; (at = text.find(call, at)) != std::string::npos; at += call.size()) {
        text.erase(at + call.size(), text.find('"', at + call.size()) - at - call.size());
    }
    return text;
}

std::string run(std::string_view stream, std::minstd_rand* random) {
    const auto t = upstream::google_dialect().answer("{}", context);
    std::string out;
    std::geometric_distribution<std::size_t> sizes(0.1);
    while (!stream.empty()) {
        const std::string piece(stream.substr(0, random == nullptr ? stream.size() : 1 + sizes(*random)));
        t->feed(piece, out);
        stream.remove_prefix(piece.size());
    }
    t->finish(out);
    return without_ids(out) + (t->done() ? "1" : "0") + std::string(t->error_event()) +
           std::to_string(t->output_octets());
}

void check_events(std::string_view text) {
    for (std::size_t at = 0; (at = text.find("data: {", at)) != std::string_view::npos;) {
        const std::size_t end = text.find('\n', at);
        require(end != std::string_view::npos && text.substr(end, 2) == "\n\n");
        require(http::is_json_object(text.substr(at + 6, end - at - 6)));
        at = end;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 4) {
        case 0: {
            std::minstd_rand random(data[1] + 1U);
            const std::string whole = run(text, nullptr);
            require(run(text, &random) == whole);
            break;
        }
        case 1: {
            const auto t = upstream::google_dialect().answer("{}", context);
            std::string out;
            t->feed("data: " + std::string(text) + "\r\n\r\n", out);
            t->finish(out);
            check_events(out);
            const auto answer = upstream::google_dialect().answer("{}", context)->whole(text);
            require(!answer || http::is_json_object(*answer));
            break;
        }
        case 2:
            if (http::is_json_object(text)) {
                const auto made = upstream::google_dialect().request(text, context);
                require(!made || http::is_json_object(made->body));
            }
            break;
        default:
            if (http::is_json_object(text)) {
                const auto schema = upstream::to_gemini_schema(text);
                require(!schema || http::is_json_object(*schema));
            }
            break;
    }
    return 0;
}
