#pragma once

#include "storage/usage_store.hpp"

#include <map>
#include <string>

namespace concurred::app {

/// The report's series, or its models if it has none, and a line of totals. Costs are exact, in USD; requests without a
/// known price have a column of their own and are never shown as free.
/// @param key_names by id; shown with a report by key
[[nodiscard]] std::string usage_table(const storage::usage_report& report,
                                      const std::map<std::string, std::string>& key_names);

}  // namespace concurred::app
