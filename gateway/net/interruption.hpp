#pragma once

#include "gateway/base/error.hpp"
#include "gateway/http/abort_signal.hpp"

namespace concurred::net {

/// The error of a wait that an abort signal has ended.
[[nodiscard]] inline base::error aborted(http::abort_reason reason) {
    if (reason == http::abort_reason::client_gone) {
        return base::client_error(base::errc::client_gone, {});
    }
    return base::gateway_error(base::errc::service_unavailable,
                               "The gateway is being restarted. Send the request again.");
}

}  // namespace concurred::net
