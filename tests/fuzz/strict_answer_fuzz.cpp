// sources: upstream/strict_answer.cpp upstream/json_schema.cpp
// sources: upstream/family_answer.cpp upstream/family_calls.cpp upstream/family_dialect.cpp
// sources: upstream/family_minimax.cpp upstream/family_request.cpp upstream/family_usage.cpp upstream/family_whole.cpp
// sources: upstream/think_splitter.cpp upstream/token_pattern.cpp upstream/usage_extract.cpp upstream/call_id.cpp
// sources: upstream/chat_fields.cpp upstream/google_fields.cpp upstream/cost.cpp upstream/json_parts.cpp
// sources: upstream/google_error.cpp upstream/provider_error.cpp upstream/error_fields.cpp
// sources: upstream/error_verdict.cpp upstream/retry_after.cpp upstream/scrub.cpp
// sources: gateway/http/json_scan.cpp gateway/http/json_string.cpp gateway/http/sse_frame.cpp
// sources: gateway/http/request_head.cpp gateway/http/request_line.cpp gateway/base/error.cpp
// sources: gateway/base/json_text.cpp crypto/digest.cpp crypto/random.cpp crypto/openssl_handles.cpp
//
// Strict tools: an answer with calls comes out the same however it is cut, what goes out is JSON, no call goes out
// whose arguments break the schema, and any text is fit for a schema.

#include "tests/fuzz/translator_checks.hpp"
#include "upstream/json_schema.hpp"
#include "upstream/strict_answer.hpp"

using namespace concurred;

namespace {

constexpr std::string_view tools =
    R"([{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object",)"
    R"("properties":{"a":{"type":"integer"},"b":{"enum":["x",null]},"c":{"type":"array","items":{"$ref":"#/$defs/d"}}},)"
    R"("required":["a"],"additionalProperties":false,"$defs":{"d":{"anyOf":[{"type":"string"},{"type":"boolean"}]}}}}}])";

std::unique_ptr<upstream::answer_translator> make() {
    const upstream::translation_context context{.upstream_model = "m", .answer_model = "m", .stream = true};
    return std::make_unique<upstream::strict_answer>(upstream::openrouter_dialect().answer("{}", context), tools);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
    if (const std::size_t middle = text.find('\n'); (data[0] & 1U) != 0 && middle != std::string_view::npos) {
        const std::string_view schema = text.substr(0, middle);
        const std::string_view value = text.substr(middle + 1);
        if (http::is_json_object(schema) && http::is_json_object(value)) {
            static_cast<void>(upstream::schema_violation(schema, value));
        }
        return 0;
    }
    const std::string said = fuzz::check_cuts(make, text, data[1] % 32U + 1);
    fuzz::check_events(said);
    fuzz::check_whole(make, text);
    return 0;
}
