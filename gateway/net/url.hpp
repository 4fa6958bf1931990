#pragma once

#include "gateway/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::net {

/// Where an upstream is, taken apart.
struct url {
    bool tls = false;
    std::string host;        ///< name in lower case, or IP address; IPv6 without brackets
    std::uint16_t port = 0;  ///< given, or the scheme's own
    std::string path;        ///< prefix of every path there: empty, or begins with '/' and does not end in one

    /// Value of the field `Host`: brackets around IPv6, the port unless it is the scheme's own.
    [[nodiscard]] std::string host_header() const;
};

/// Parses `http(s)://host[:port][/path]`, strictly: no user, query or fragment, nothing that would need escaping,
/// because the parts become lines of a request.
/// @return errc::internal with a message that says what is wrong but does not repeat the text, which may hold a
/// password.
[[nodiscard]] base::result<url> parse_url(std::string_view text);

}  // namespace concurred::net
