#pragma once

#include "crypto/secret_string.hpp"
#include "gateway/base/error.hpp"

#include <string>
#include <string_view>

namespace concurred::app {

/// Reads a secret of one line: from a file, or from standard input; at a terminal it is asked for, and not shown.
/// @param path empty: standard input. @param what "The provider's key"
/// Errors: bad_request when it cannot be read, is empty or longer than 4 KiB.
[[nodiscard]] base::result<crypto::secret_string> read_secret(const std::string& path, std::string_view what);

}  // namespace concurred::app
