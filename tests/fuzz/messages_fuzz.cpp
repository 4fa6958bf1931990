// sources: upstream/messages_request.cpp upstream/messages_turns.cpp upstream/messages_answer.cpp
// sources: upstream/messages_words.cpp upstream/anthropic_passage.cpp upstream/anthropic_counts.cpp
// sources: upstream/json_parts.cpp upstream/usage_extract.cpp upstream/chat_request.cpp upstream/chat_fields.cpp
// sources: upstream/error_fields.cpp upstream/google_error.cpp
// sources: gateway/base/error.cpp gateway/http/json_scan.cpp gateway/http/json_string.cpp gateway/http/sse_frame.cpp
//
// However a stream is cut, a client of Anthropic's dialect gets the same; what passes to it from Anthropic is not
// changed; and a request that is translated is one JSON object, or a refusal.

#include "gateway/http/json_scan.hpp"
#include "upstream/anthropic_passage.hpp"
#include "upstream/chat_request.hpp"
#include "upstream/messages_answer.hpp"
#include "upstream/messages_request.hpp"

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

std::string in_pieces(upstream::answer_translator& translator, std::string_view stream, std::size_t step) {
    std::string out;
    for (std::size_t at = 0; at < stream.size(); at += step) {
        translator.feed(stream.substr(at, step), out);
    }
    translator.finish(out);
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::size_t step = data[0] % 32U + 1;

    upstream::messages_answer whole("m", nullptr);
    upstream::messages_answer cut("m", nullptr);
    require(in_pieces(whole, text, size) == in_pieces(cut, text, step));
    require(whole.done() == cut.done() && whole.error_event() == cut.error_event());

    upstream::anthropic_passage passage(true);
    upstream::anthropic_passage cut_passage(true);
    const std::string passed = in_pieces(passage, text, size);
    require(passed == in_pieces(cut_passage, text, step));
    require(text.starts_with(passed));

    upstream::messages_answer message("m", nullptr);
    const auto answer = message.whole(text);
    require(!answer || http::is_json_object(*answer));

    if (upstream::parse_chat_request(text)) {
        const auto chat = upstream::to_chat(text, {.model = "m", .cache_markers = true, .thinking = true});
        require(!chat || http::is_json_object(chat->body));
    }
    return 0;
}
