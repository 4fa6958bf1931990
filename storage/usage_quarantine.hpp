#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/usage_record.hpp"

#include <string>

namespace concurred::storage {

/// One usage record as a line of JSON, with the names of `usage_event`.
[[nodiscard]] std::string usage_record_json(const base::usage_record& record);

/// Adds a record that the store refuses to `<folder>/quarantine/records.jsonl`, with the reason, and completes when it
/// is on the disk. The folder is made when missing.
[[nodiscard]] base::result<void> quarantine_record(const std::string& folder, const base::usage_record& record,
                                                   const base::error& reason);

}  // namespace concurred::storage
