#pragma once

#include "gateway/base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::app {

/// What a provider says was used of a model on a UTC day.
struct exported_usage {
    std::int32_t day = 0;  ///< days since 1970-01-01
    std::string model;
    std::optional<std::uint64_t> requests{};
    std::optional<std::uint64_t> input_tokens{};   ///< cached ones included
    std::optional<std::uint64_t> output_tokens{};  ///< reasoning included
};

/// Reads a provider's own export:
/// * JSON of OpenAI's usage API (`data[].start_time`, `data[].results[]` with `model`, `num_model_requests`,
///   `input_tokens`, `output_tokens`) or of Anthropic's (`data[].starting_at`, `results[]` with `model`,
///   `uncached_input_tokens`, `cache_read_input_tokens`, `cache_creation`, `output_tokens`), one page or an array of
///   all
/// * CSV whose first line names the columns, as the dashboards of both export it. Of these, in any order and letter
///   case: the day (`date`, `day`, `usage_date_utc`, `start_time_iso`, `start_time` in Unix seconds), the model
///   (`model`, `model_version`), `requests` or `num_model_requests`, `input_tokens` or the sum of
///   `usage_input_tokens_no_cache`, `..._cache_read`, `..._cache_write_5m` and `..._cache_write_1h`, `output_tokens` or
///   `usage_output_tokens`. Others are ignored.
/// Lines of the same day and model are added up. Errors: name the line and what is missing or no number; pages or
/// models that are missing.
[[nodiscard]] base::result<std::vector<exported_usage>> read_provider_export(std::string_view text);

}  // namespace concurred::app
