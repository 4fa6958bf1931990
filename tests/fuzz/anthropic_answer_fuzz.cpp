// sources: upstream/anthropic_answer.cpp upstream/anthropic_whole.cpp upstream/anthropic_counts.cpp
// sources: upstream/anthropic_citations.cpp upstream/chunk_writer.cpp upstream/json_parts.cpp gateway/base/error.cpp
// sources: gateway/http/json_scan.cpp gateway/http/json_string.cpp gateway/http/sse_frame.cpp
//
// However a stream of Anthropic's is cut, what the client gets is the same, and every event of it is JSON.

#include "upstream/anthropic_answer.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace concurred;

namespace {

constexpr upstream::translation_context context{.upstream_model = "claude-sonnet-4-5",
                                                .answer_model = "claude",
                                                .stream = true,
                                                .include_usage = true,
                                                .created = 1'700'000'000};

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void check_events(std::string_view text) {
    constexpr std::string_view start = "data: ";
    while (!text.empty()) {
        const std::size_t end = text.find("\n\n");
        require(text.starts_with(start) && end != std::string_view::npos);
        const std::string_view data = text.substr(start.size(), end - start.size());
        require(data == "[DONE]" || http::is_json_object(data));
        text.remove_prefix(end + 2);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view stream(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::size_t step = data[0] % 32U + 1;

    upstream::anthropic_answer at_once(context, "answer");
    std::string whole;
    at_once.feed(stream, whole);
    at_once.finish(whole);
    check_events(whole);

    upstream::anthropic_answer in_pieces(context, "answer");
    std::string pieces;
    for (std::size_t at = 0; at < stream.size(); at += step) {
        in_pieces.feed(stream.substr(at, step), pieces);
    }
    in_pieces.finish(pieces);
    require(whole == pieces && at_once.done() == in_pieces.done() && at_once.error_event() == in_pieces.error_event());

    upstream::anthropic_answer message(context, "answer");
    const auto made = message.whole(stream);
    require(!made || http::is_json_object(*made));
    return 0;
}
