#include "gateway/base/config_keys.hpp"

#include <utility>

namespace concurred::base {

namespace {

using pair_of_texts = std::pair<std::string_view, std::string_view>;

/// Base URLs as in the official SDK of each provider.
constexpr pair_of_texts built_in_providers[] = {
    {"openai", "https://api.openai.com/v1"},
    {"anthropic", "https://api.anthropic.com"},
    {"google", "https://generativelanguage.googleapis.com/v1beta"},
    {"x-ai", "https://api.x.ai/v1"},
    {"openrouter", "https://openrouter.ai/api/v1"},
    {"minimax", "https://api.minimax.io/v1"},
};

/// Requests per minute of one key, as the product documents them. It gives "fashion/status" as 40 per 10 s, and says
/// nothing of "battle" and "fight", which are of the kind of "chat", nor of those like chat completions.
constexpr std::pair<std::string_view, unsigned> documented_path_limits[] = {
    {"/api/v1/chat/completions", 60},
    {"/api/v1/messages", 60},
    {"/api/v1/messages/count_tokens", 60},
    {"/api/v1/responses", 60},
    {"/api/v1/embeddings", 60},
    {"/api/v1/media/*", 60},
    {"/api/v1/vision", 60},
    {"/api/v1/fashion/run", 30},
    {"/api/v1/fashion/subscribe", 30},
    {"/api/v1/fashion/status/:id", 240},
    {"/api/chat", 10},
    {"/api/v1/battle", 10},
    {"/api/v1/fight", 10},
};

}  // namespace

config default_config() {
    config values;
    for (const auto& [name, base_url] : built_in_providers) {
        values.providers[std::string(name)].base_url = base_url;
    }
    for (const auto& [path, limit] : documented_path_limits) {
        values.limits.paths[std::string(path)] = limit;
    }
    return values;
}

}  // namespace concurred::base
