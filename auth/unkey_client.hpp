#pragma once

#include "auth/key_answer.hpp"
#include "auth/service_breaker.hpp"
#include "auth/unkey_messages.hpp"
#include "crypto/secret_string.hpp"
#include "gateway/base/config.hpp"
#include "gateway/base/logger.hpp"
#include "gateway/net/json_client.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::auth {

/// Calls Unkey for one shard: verifications under a deadline, a cap and a breaker, and the calls that manage keys. The
/// two have root keys of their own, so that whoever reads the memory or the traffic of the one cannot do the other.
class unkey_client {
public:
    struct params {
        net::json_client::params connection;
        const base::unkey_config& settings;  ///< outlives the client, as does the logger
        std::uint32_t default_rate_limit = 60;
        unsigned shards = 1;  ///< share `max_concurrent`
        base::logger& log;
    };
    explicit unkey_client(const params& p);
    unkey_client(const unkey_client&) = delete;
    unkey_client& operator=(const unkey_client&) = delete;

    /// Asks whether a key is valid. At most one retry, and only where nothing happened.
    /// @param key outlives the call
    /// @param known a refresh: a quarter of the places is kept for these, so that guessed keys cannot push them out
    /// Errors: errc::service_unavailable with `retry_after`.
    [[nodiscard]] base::task<base::result<key_answer>> verify(const crypto::secret_string& key, bool known);

    struct managed {
        unkey_fault fault = unkey_fault::unavailable;  ///< of a call that failed
        bool ok = false;
        bool unseen = false;  ///< failed before Unkey saw anything of it
        std::string body;     ///< the whole answer; see `unkey_data`
    };
    /// Calls a procedure, e.g. "keys.getKey", with the managing root key. Both outlive the call.
    /// @param repeatable doing it twice does no harm
    [[nodiscard]] base::task<managed> manage(std::string_view procedure, std::string_view body, bool repeatable);
    /// There is a root key to manage with.
    [[nodiscard]] bool manages() const noexcept { return !manage_header_.empty(); }

    [[nodiscard]] const std::string& api_id() const noexcept { return settings_.api_id; }
    [[nodiscard]] std::uint32_t default_rate_limit() const noexcept { return default_rate_limit_; }

    /// Ends all calls, for the end of the process.
    void stop() noexcept { client_.stop(); }

    struct counts {
        std::uint64_t verified = 0;  ///< answers, good or bad
        std::uint64_t failed = 0;    ///< calls without one
        std::uint64_t refused = 0;   ///< not even called: too many at a time, or the breaker is open
        bool open = false;
    };
    [[nodiscard]] counts numbers() const noexcept;

private:
    class place;

    struct attempt {
        base::result<key_answer> answer;
        std::chrono::milliseconds pause{0};  // what the service asked for
        bool again = false;                  // worth a second try
        bool ours = false;                   // says nothing about the service
    };

    [[nodiscard]] base::task<attempt> verify_once(std::string_view body, std::chrono::milliseconds deadline);
    [[nodiscard]] base::error refuse(std::chrono::milliseconds wait);
    void report(bool good);

    base::executor executor_;
    const base::unkey_config& settings_;
    std::uint32_t default_rate_limit_;
    base::logger& log_;
    net::json_client client_;
    crypto::secret_string verify_header_;
    crypto::secret_string manage_header_;
    service_breaker breaker_;
    std::uint32_t most_;          // verifications at a time
    std::uint32_t most_unknown_;  // of these, for keys nobody knows
    std::uint32_t running_ = 0;
    std::uint32_t running_unknown_ = 0;
    std::uint64_t verified_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t refused_ = 0;
    bool reported_open_ = false;
};

}  // namespace concurred::auth
