#pragma once

#include "upstream/error_fields.hpp"

#include <string_view>

namespace concurred::upstream {

/// Reads the `details` of an error of Google's: a list of messages, each with its `@type` (google.rpc.ErrorInfo,
/// RetryInfo, QuotaFailure).
/// @param details a valid array
void read_google_details(std::string_view details, error_fields& fields);

}  // namespace concurred::upstream
