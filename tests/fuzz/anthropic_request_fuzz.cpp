// sources: upstream/anthropic_request.cpp upstream/anthropic_json.cpp upstream/anthropic_thinking.cpp
// sources: upstream/anthropic_fields.cpp upstream/anthropic_messages.cpp upstream/anthropic_parts.cpp
// sources: upstream/anthropic_tools.cpp upstream/anthropic_schema.cpp upstream/anthropic_model.cpp
// sources: upstream/json_parts.cpp upstream/chat_request.cpp upstream/chat_fields.cpp gateway/base/error.cpp
// sources: gateway/http/json_scan.cpp gateway/http/json_string.cpp crypto/encoding.cpp crypto/digest.cpp
// sources: crypto/openssl_handles.cpp
//
// Whatever a chat completion that the gateway takes says, its translation is one JSON object, or a refusal.

#include "gateway/http/json_scan.hpp"
#include "upstream/anthropic_request.hpp"
#include "upstream/chat_request.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace concurred;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::string_view models[] = {"claude-sonnet-4-5", "claude-opus-5-5", "claude-3-haiku", "unknown"};
    if (size == 0) {
        return 0;
    }
    const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
    if (!upstream::parse_chat_request(body)) {
        return 0;
    }
    const std::string_view model = models[data[0] % 4U];
    const auto made = upstream::to_anthropic(body, {.upstream_model = model, .answer_model = model});
    if (made && !http::is_json_object(made->body)) {
        std::abort();
    }
    return 0;
}
