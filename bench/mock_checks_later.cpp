#include "bench/mock_anthropic_check.hpp"
#include "bench/mock_gemini_check.hpp"
#include "bench/mock_openai_check.hpp"
namespace concurred::bench {
std::optional<mock_failure> check_openai_chat(std::string_view) {
    return std::nullopt;
}
std::optional<mock_failure> check_xai_chat(std::string_view) {
    return std::nullopt;
}
std::optional<mock_failure> check_openrouter_chat(std::string_view) {
    return std::nullopt;
}
std::optional<mock_failure> check_minimax_chat(std::string_view) {
    return std::nullopt;
}
std::optional<mock_failure> check_openai_responses(std::string_view) {
    return std::nullopt;
}
std::optional<mock_failure> check_openai_embeddings(std::string_view) {
    return std::nullopt;
}
std::optional<mock_failure> check_anthropic(const mock_request&) {
    return std::nullopt;
}
std::optional<mock_failure> check_gemini(const mock_request&, std::string_view) {
    return std::nullopt;
}
}  // namespace concurred::bench
