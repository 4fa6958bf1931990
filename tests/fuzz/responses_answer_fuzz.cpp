// sources: upstream/responses_answer.cpp upstream/usage_extract.cpp upstream/json_parts.cpp
// sources: upstream/whole_stream.cpp upstream/completion_stream.cpp upstream/message_stream.cpp
// sources: upstream/response_stream.cpp upstream/anthropic_passage.cpp upstream/anthropic_counts.cpp
// sources: upstream/chunk_writer.cpp gateway/http/json_scan.cpp gateway/http/json_string.cpp gateway/http/sse_frame.cpp
// sources: gateway/base/error.cpp
//
// What goes through as it comes, in the forms of the Responses API and of Anthropic: however it is cut, it goes on the
// same, and without an error all of it. And a whole answer said as a stream is one, event by event.

#include "tests/fuzz/translator_checks.hpp"
#include "upstream/anthropic_passage.hpp"
#include "upstream/responses_answer.hpp"
#include "upstream/whole_stream.hpp"

using namespace concurred;

namespace {

void check_whole_stream(std::string_view body) {
    if (!http::is_json_object(body)) {
        return;
    }
    const auto made = upstream::stream_of_whole(body, true);
    if (!made) {
        return;
    }
    std::string_view rest = *made;
    while (!rest.empty()) {
        const std::size_t end = rest.find("\n\n");
        fuzz::require(end != std::string_view::npos);
        std::string_view event = rest.substr(0, end);
        rest.remove_prefix(end + 2);
        if (event.starts_with("event: ")) {
            event.remove_prefix(event.find('\n') + 1);
        }
        fuzz::require(event.starts_with("data: "));
        fuzz::require(event == "data: [DONE]" || http::is_json_object(event.substr(6)));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
    const bool anthropic = (data[0] & 1U) != 0;
    const auto make = [&]() -> std::unique_ptr<upstream::answer_translator> {
        if (anthropic) {
            return std::make_unique<upstream::anthropic_passage>(true);
        }
        return std::make_unique<upstream::responses_answer>();
    };
    const std::string said = fuzz::check_cuts(make, text, data[1] % 32U + 1);
    const auto t = make();
    std::string fed;
    t->feed(text, fed);
    if (t->error_event().empty()) {
        fuzz::require(text.starts_with(fed));  // what is not out yet is the begin of an event
    }
    fuzz::require(said.starts_with(fed));
    fuzz::check_whole(make, text);
    check_whole_stream(text);
    return 0;
}
