#pragma once

#include "gateway/base/error.hpp"
#include "storage/redis_codec.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::storage {

/// Why a command has no answer, each with its own consequence.
enum class redis_errc : std::uint8_t {
    // Said by us.
    down,        ///< no connection, or one that does not answer: nothing was sent
    overloaded,  ///< too much waits already: nothing was sent
    timed_out,   ///< no reply before the deadline: whether it was carried out is not known
    lost,        ///< the connection broke: whether it was carried out is not known
    protocol,    ///< the reply is no RESP, or not what the command answers
    // Said by the server.
    loading,      ///< it reads its data set
    readonly,     ///< a replica: the master is elsewhere now
    noauth,       ///< it wants a password
    wrongpass,    ///< the user name or the password is wrong
    noperm,       ///< the user may not do that
    oom,          ///< its memory is full
    masterdown,   ///< a replica without its master
    moved,        ///< the key is on another node
    ask,          ///< the key is on its way to another node
    tryagain,     ///< keys of one command are on two nodes for the moment
    clusterdown,  ///< a part of the slots is not served
    crossslot,    ///< keys of one command belong to different slots
    noscript,     ///< the script is not known: it was not run
    busy,         ///< a script does not end
    refused,      ///< any other error
};

/// Name of a code, for logs and labels.
[[nodiscard]] std::string_view to_text(redis_errc code) noexcept;

struct redis_error {
    redis_errc code = redis_errc::down;
    std::string text{};  ///< the server's words; for the operator

    /// Whether the command may have been carried out all the same.
    [[nodiscard]] bool outcome_unknown() const noexcept {
        return code == redis_errc::timed_out || code == redis_errc::lost || code == redis_errc::protocol;
    }
};

using redis_result = boost::system::result<redis_reply, redis_error>;

/// What an error reply means. @param text without the '-'.
[[nodiscard]] redis_errc redis_error_kind(std::string_view text) noexcept;

/// Where MOVED or ASK sends: "MOVED 3999 127.0.0.1:6381". An empty host means the one that said so.
struct redis_redirect {
    std::uint16_t slot = 0;
    std::string host;
    std::uint16_t port = 0;
};
[[nodiscard]] std::optional<redis_redirect> parse_redis_redirect(std::string_view text);

[[noreturn]] void throw_exception_from_error(const redis_error& e, const boost::source_location& where);

}  // namespace concurred::storage
