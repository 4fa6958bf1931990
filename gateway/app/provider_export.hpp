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

/// Reads a provider's own export: the JSON of OpenAI's usage API (`data[].start_time`, `data[].results[]`), or CSV
/// whose first line names the columns. Of these, in any order and letter case: the day (`date`, `day`,
/// `usage_date_utc`, `start_time_iso`, `start_time` in Unix seconds), the model (`model`, `model_version`), `requests`
/// or `num_model_requests`, `input_tokens` or the sum of `input_no_cache`, `input_cache_read`, `input_cache_write_5m`
/// and `input_cache_write_1h`, `output_tokens`. Other columns are ignored. Lines of the same day and model are added
/// up. Errors: name the line and what is missing or no number.
[[nodiscard]] base::result<std::vector<exported_usage>> read_provider_export(std::string_view text);

}  // namespace concurred::app
