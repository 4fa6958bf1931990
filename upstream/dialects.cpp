#include "upstream/dialects.hpp"

namespace concurred::upstream {

namespace {

const spoken_dialect openai{};
const spoken_dialect anthropic{.translation = &anthropic_dialect(),
                               .key_field = "x-api-key: ",
                               .fixed_fields = "anthropic-version: 2023-06-01\r\n"};
const spoken_dialect google{
    .translation = &google_dialect(), .key_field = "x-goog-api-key: ", .fixed_fields = "", .spoken = true};

}  // namespace

const spoken_dialect& dialect_of(std::string_view provider) noexcept {
    return provider == "anthropic" ? anthropic : provider == "google" ? google : openai;
}

}  // namespace concurred::upstream
