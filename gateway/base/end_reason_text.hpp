#pragma once

#include "gateway/base/usage_record.hpp"

#include <string_view>

namespace concurred::base {

/// The reason as the access log, the metrics and the stores spell it.
[[nodiscard]] constexpr std::string_view to_text(end_reason reason) noexcept {
    switch (reason) {
        case end_reason::completed:
            return "completed";
        case end_reason::client_closed:
            return "client_closed";
        case end_reason::upstream_error:
            return "upstream_error";
        case end_reason::timeout:
            return "timeout";
        case end_reason::drain:
            return "drain";
        case end_reason::rejected:
            return "rejected";
        case end_reason::aborted:
            return "aborted";
    }
    return "unknown";
}

}  // namespace concurred::base
