#include "bench/mock_dialect.hpp"

#include <algorithm>
#include <array>

namespace concurred::bench {

std::optional<mock_failure> mock_dialect::check(const mock_request&, const mock_call&) const {
    return std::nullopt;
}

std::span<const mock_dialect* const> mock_dialects() noexcept {
    // OpenAI's own comes last: its paths are those of the others, too.
    static const std::array<const mock_dialect*, 8> table{
        &anthropic_mock_dialect(), &gemini_mock_dialect(),    &xai_mock_dialect(),        &openrouter_mock_dialect(),
        &minimax_mock_dialect(),   &responses_mock_dialect(), &embeddings_mock_dialect(), &openai_mock_dialect(),
    };
    return table;
}

const mock_dialect& mock_dialect_of(const mock_request& request) noexcept {
    const auto table = mock_dialects();
    const auto claimed = std::ranges::find_if(table, [&](const auto* one) { return one->claims(request.path); });
    if (claimed != table.end()) {
        return **claimed;
    }
    const auto owned = std::ranges::find_if(table, [&](const auto* one) { return one->owns(request); });
    return owned == table.end() ? openai_mock_dialect() : **owned;
}

const mock_dialect* find_mock_dialect(std::string_view name) noexcept {
    const auto table = mock_dialects();
    const auto found = std::ranges::find_if(table, [&](const auto* one) { return one->name() == name; });
    return found == table.end() ? nullptr : *found;
}

}  // namespace concurred::bench
