#include "upstream/anthropic_model.hpp"

namespace concurred::upstream {

namespace {

// The first prefix that fits counts: of two that begin alike the longer one stands first.
constexpr anthropic_model models[] = {
    {.prefix = "claude-fable-5-1",
     .max_output_tokens = 128'000,
     .disabled = false,
     .always_thinks = true,
     .forced_tools = false},
    {.prefix = "claude-fable-5",
     .max_output_tokens = 128'000,
     .disabled = false,
     .always_thinks = true,
     .forced_tools = false},
    {.prefix = "claude-opus-5-5",
     .max_output_tokens = 128'000,
     .disabled = false,
     .always_thinks = true,
     .forced_tools = false},
    {.prefix = "claude-sonnet-5-5",
     .max_output_tokens = 128'000,
     .disabled = false,
     .between_tools = true,
     .forced_tools = false},
    {.prefix = "claude-haiku-5-5", .max_output_tokens = 128'000},
    {.prefix = "claude-opus-5", .max_output_tokens = 128'000},
    {.prefix = "claude-sonnet-5", .max_output_tokens = 128'000},
    {.prefix = "claude-opus-4-8", .max_output_tokens = 128'000},
    {.prefix = "claude-opus-4-7", .max_output_tokens = 128'000},
    {.prefix = "claude-opus-4-6", .max_output_tokens = 128'000, .sampling = sampling_rule::free, .budget = true},
    {.prefix = "claude-sonnet-4-6", .max_output_tokens = 64'000, .sampling = sampling_rule::free, .budget = true},
    {.prefix = "claude-opus-4-5",
     .max_output_tokens = 64'000,
     .sampling = sampling_rule::one_of,
     .adaptive = false,
     .budget = true},
    {.prefix = "claude-sonnet-4-5",
     .max_output_tokens = 64'000,
     .sampling = sampling_rule::one_of,
     .adaptive = false,
     .budget = true},
    {.prefix = "claude-haiku-4-5",
     .max_output_tokens = 64'000,
     .sampling = sampling_rule::one_of,
     .adaptive = false,
     .budget = true},
    {.prefix = "claude-opus-4-1",
     .max_output_tokens = 32'000,
     .sampling = sampling_rule::one_of,
     .adaptive = false,
     .budget = true},
    {.prefix = "claude-opus-4",
     .max_output_tokens = 32'000,
     .sampling = sampling_rule::one_of,
     .adaptive = false,
     .budget = true,
     .structured_output = false},
    {.prefix = "claude-sonnet-4",
     .max_output_tokens = 64'000,
     .sampling = sampling_rule::one_of,
     .adaptive = false,
     .budget = true,
     .structured_output = false},
    {.prefix = "claude-3-7",
     .max_output_tokens = 64'000,
     .sampling = sampling_rule::free,
     .adaptive = false,
     .budget = true,
     .structured_output = false},
    {.prefix = "claude-3-5",
     .max_output_tokens = 8'192,
     .sampling = sampling_rule::free,
     .adaptive = false,
     .structured_output = false},
    {.prefix = "claude-3",
     .max_output_tokens = 4'096,
     .sampling = sampling_rule::free,
     .adaptive = false,
     .structured_output = false},
};

constexpr anthropic_model newest{.prefix = "", .max_output_tokens = 64'000, .forced_tools = false};

}  // namespace

const anthropic_model& anthropic_model_of(std::string_view id) noexcept {
    for (const anthropic_model& m : models) {
        if (id.starts_with(m.prefix)) {
            return m;
        }
    }
    return newest;
}

}  // namespace concurred::upstream
