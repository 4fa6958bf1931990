#pragma once

#include "gateway/base/error.hpp"
#include "gateway/net/url.hpp"

#include <chrono>
#include <string>

namespace concurred::app {

/// What a server said to a probe.
struct probe_answer {
    unsigned status = 0;
    std::string first_line;  ///< of the body; cut
};

/// `GET` on a connection of its own, blocking, for a command that does nothing else.
/// @param target plain http; an empty path stands for "/"
/// @param budget for everything but the resolution of a name, which takes as long as the system lets it
/// @return errc::upstream_error or errc::upstream_timeout in words for the operator when there was no HTTP answer
[[nodiscard]] base::result<probe_answer> http_probe(const net::url& target, std::chrono::milliseconds budget);

}  // namespace concurred::app
