#pragma once

#include "crypto/openssl_handles.hpp"
#include "gateway/base/executor.hpp"
#include "storage/redis_url.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace concurred::storage {

/// How to use Redis. Checked when it is made; copied freely.
struct redis_settings {
    redis_url url;
    std::string sentinel_master;    ///< not empty: the hosts are Sentinels, and this is the name of the master
    std::string sentinel_user;      ///< the Sentinels' own credentials
    std::string sentinel_password;  ///< empty: they want none
    std::string client_name = "concurred";
    SSL_CTX* tls = nullptr;  ///< needed for `rediss://`; outlives every connection
    std::chrono::milliseconds command_timeout{50};
    std::chrono::milliseconds connect_timeout{1'000};  ///< connection, TLS, and the greeting
    std::chrono::milliseconds stall_timeout{1'000};    ///< a connection that owes a reply this long is given up
    std::chrono::milliseconds idle_ping{15'000};
    std::chrono::milliseconds first_backoff{50};
    std::chrono::milliseconds longest_backoff{2'000};
    std::size_t most_pending = 4'096;          ///< commands without a reply, per connection
    std::size_t most_queued_bytes = 4U << 20;  ///< commands that the socket has not taken
    std::size_t most_reply_bytes = 8U << 20;   ///< of one reply
    std::uint64_t seed = 1;                    ///< random: reconnects of many gateways must not come together
};

/// What happened on the connections of one shard, for metrics: only its thread touches it.
struct redis_counters {
    std::uint64_t commands = 0;   ///< sent
    std::uint64_t replies = 0;    ///< came in time
    std::uint64_t timed_out = 0;  ///< did not
    std::uint64_t lost = 0;       ///< their connection broke
    std::uint64_t refused = 0;    ///< not sent: down or overloaded
    std::uint64_t errors = 0;     ///< answered with an error
    std::uint64_t connects = 0;   ///< connections made
    std::uint64_t writes = 0;     ///< times the socket was written to: commands / writes is how many went together
};

}  // namespace concurred::storage
