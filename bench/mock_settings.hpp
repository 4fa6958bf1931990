#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace concurred::bench {

/// Everything that can be asked of one answer. The texts of `mock_setting_table()` say what each field does.
struct mock_settings {
    /// Value of the `…_after` fields that are not set.
    static constexpr std::uint32_t never = UINT32_MAX;

    std::uint32_t tokens = 20;
    std::uint32_t chunk = 4;
    std::uint32_t group = 1;
    std::uint32_t split = 0;
    std::uint32_t frame = 0;
    std::uint32_t pad = 0;
    std::uint32_t prompt = 0;
    std::uint32_t cached = 0;
    std::uint32_t cache_write = 0;
    std::uint32_t reasoning = 0;
    std::uint32_t tool = 0;
    std::uint32_t spread = 0;
    std::uint32_t headers = 0;
    std::chrono::microseconds first{0};
    std::chrono::microseconds gap{0};
    std::chrono::microseconds split_gap{0};
    std::chrono::microseconds idle{0};
    bool echo = false;
    bool early_head = false;
    bool obfuscation = false;
    bool ratelimits = false;
    bool stamp = false;
    bool tool_echo = false;
    bool strict = false;
    bool lenient = false;
    std::string flavour;
    std::string tool_name = "get_weather";
    std::string trace;
    std::string tag;

    std::uint32_t times = 0;
    std::uint32_t every = 1;
    std::uint32_t status = 0;
    std::string retry_after;
    std::uint32_t retry_after_date = never;
    std::string retry_after_ms;
    std::string should_retry;
    std::string code;
    std::uint32_t reset_after = never;
    std::uint32_t close_after = never;
    std::uint32_t stall_after = never;
    std::uint32_t error_frame = never;
    std::uint32_t bad_chunk = never;
    std::uint32_t huge_line = 0;
    std::uint32_t interim = 0;
    std::uint32_t redirect = 0;
    std::chrono::microseconds slow_head{0};
    bool hang = false;
    bool garbage = false;
    bool no_done = false;
    bool no_usage = false;
    bool html = false;
    bool json_instead = false;
    bool sse_instead = false;
    bool extra_bytes = false;
    bool close_idle = false;
    bool truncate = false;
    bool noisy = false;
    bool repeat_last = false;

    /// The same settings with every fault taken out, for the requests that `times` and `every` spare.
    [[nodiscard]] mock_settings without_faults() const;
};

/// One row of the table that the parser, the command line and the documentation share.
struct mock_setting {
    using member_type = std::variant<std::uint32_t mock_settings::*, bool mock_settings::*,
                                     std::chrono::microseconds mock_settings::*, std::string mock_settings::*>;

    std::string_view name;
    member_type member;
    std::string_view bare;  ///< the value when only the name is given; empty: a value is required (flags need none)
    bool fault;             ///< taken out by `without_faults()`
    std::uint32_t minimum;  ///< of a number
    std::uint32_t maximum;  ///< of a number
    std::string_view help;
};

/// All settings, in the order of the documentation.
[[nodiscard]] std::span<const mock_setting> mock_setting_table() noexcept;

/// The row named `name`, or null.
[[nodiscard]] const mock_setting* find_mock_setting(std::string_view name) noexcept;

/// Applies `key=value` pairs, separated by commas or semicolons, to `settings`. Numbers may end in `k` or `m` (×1024,
/// ×1024²); durations end in `us`, `ms`, `s` or `m`, without unit they are milliseconds; flags need no value.
/// \returns what is wrong with the text, or nothing. After an error some pairs may have been applied.
[[nodiscard]] std::optional<std::string> apply_mock_spec(std::string_view spec, mock_settings& settings);

/// A time such as `200us`, `50ms`, `1.5s` or `2m`, without unit milliseconds; at most a day.
[[nodiscard]] std::optional<std::chrono::microseconds> mock_duration(std::string_view text) noexcept;

/// The settings inside a model name: what follows `mock-`, at the beginning or after a slash (`openai/mock-tokens=5`).
/// \returns an empty view if the name is an ordinary one: no `mock-`, or neither a known setting nor a `=` after it.
[[nodiscard]] std::string_view spec_in_model(std::string_view model) noexcept;

/// The settings inside an API key: what follows `sk-mock-`, under the rule of `spec_in_model`.
[[nodiscard]] std::string_view spec_in_key(std::string_view key) noexcept;

}  // namespace concurred::bench
