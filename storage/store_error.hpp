#pragma once

#include "gateway/base/error.hpp"

#include <utility>

namespace concurred::storage {

/// `e` without its text. Errors of the stores name files and quote the database: that is for the log and the command
/// line. Whoever answers a client passes them through here first, so that it gets the default text of the code.
[[nodiscard]] inline base::error for_client(base::error e) {
    e.message.clear();
    e.details.clear();
    return e;
}

}  // namespace concurred::storage
