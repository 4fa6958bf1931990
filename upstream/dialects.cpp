#include "upstream/dialects.hpp"

#include <algorithm>
#include <iterator>

namespace concurred::upstream {

namespace {

const spoken_dialect openai{};
const spoken_dialect anthropic{.translation = &anthropic_dialect(),
                               .key_field = "x-api-key: ",
                               .fixed_fields = "anthropic-version: 2023-06-01\r\n"};
const spoken_dialect google{
    .translation = &google_dialect(), .key_field = "x-goog-api-key: ", .fixed_fields = "", .spoken = true};

const spoken_dialect x_ai{.translation = &x_ai_dialect()};
const spoken_dialect openrouter{.translation = &openrouter_dialect()};
const spoken_dialect minimax{.translation = &minimax_dialect()};

}  // namespace

const spoken_dialect& dialect_of(std::string_view provider) noexcept {
    struct row {
        std::string_view name;
        const spoken_dialect& dialect;
    };
    static const row rows[] = {
        {"anthropic", anthropic}, {"google", google}, {"minimax", minimax}, {"openrouter", openrouter}, {"x-ai", x_ai}};
    const auto* const found =
        std::find_if(std::begin(rows), std::end(rows), [provider](const row& r) { return r.name == provider; });
    return found == std::end(rows) ? openai : found->dialect;
}

}  // namespace concurred::upstream
