#pragma once

#include "gateway/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::storage {

struct redis_address {
    std::string host;  ///< name or IP address; IPv6 without brackets. Of a Unix socket: its path
    std::uint16_t port = 6379;

    friend bool operator==(const redis_address&, const redis_address&) = default;
    friend auto operator<=>(const redis_address&, const redis_address&) = default;
};

/// Where Redis is and who asks there.
struct redis_url {
    enum class transport : std::uint8_t { tcp, tls, unix_socket };

    transport via = transport::tcp;
    /// At least one. Several: servers of which any will do, nodes of one cluster, or Sentinels.
    std::vector<redis_address> hosts;
    std::string user;      ///< empty: the default user
    std::string password;  ///< empty: none is sent
    unsigned database = 0;
};

/// Parses `redis://[[user]:password@]host[:port][,host[:port]...][/database]`, the same with `rediss://` for TLS, and
/// `unix://[[user]:password@]/path/of/socket[?db=N]`. User and password may hold %XX; a Sentinel's port is 26379 where
/// none is given.
/// @param sentinels whether the hosts are Sentinels
/// @return errc::internal with a message that says what is wrong and what is allowed, and never repeats the text.
[[nodiscard]] base::result<redis_url> parse_redis_url(std::string_view text, bool sentinels = false);

}  // namespace concurred::storage
