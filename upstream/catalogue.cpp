#include "upstream/catalogue.hpp"

namespace concurred::upstream {

namespace {

constexpr std::nullopt_t none = std::nullopt;
constexpr model_input text = model_input::text;
constexpr model_input image = model_input::image;
constexpr model_input vector = model_input::text_to_vector;

constexpr catalogue_model model_table[] = {
#include "upstream/catalogue_models.inc"
};

/// The product documents the targets of claude, gpt, gemini, grok, deepseek and minimax. For mistral, kimi and llama it
/// says only that they go through OpenRouter; these targets are the gateway's choice.
constexpr catalogue_alias aliases[] = {
    {"claude", "claude-sonnet-4-5-20250929"},
    {"gpt", "gpt-5.2"},
    {"gemini", "gemini-3-pro-preview"},
    {"grok", "grok-4-1-fast"},
    {"deepseek", "deepseek/deepseek-v3.2"},
    {"mistral", "mistralai/mistral-large-2512"},
    {"kimi", "moonshotai/kimi-k2.5"},
    {"llama", "meta-llama/llama-3.3-70b-instruct"},
    {"minimax", "MiniMax-M2.7"},
};

}  // namespace

std::span<const catalogue_model> catalogue_models() noexcept {
    return model_table;
}

std::span<const catalogue_alias> catalogue_aliases() noexcept {
    return aliases;
}

}  // namespace concurred::upstream
