#pragma once

#include "auth/jws.hpp"
#include "gateway/base/clock.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::auth {

/// Largest key set that is read.
inline constexpr std::size_t max_jwks_size = 64 * 1024;

/// Reads a JSON Web Key Set (RFC 7517 5). Kept are P-256 keys for ES256 and RSA keys for RS256 that are meant for
/// checking signatures, 32 at most; all else is passed over: other algorithms, keys for encryption, and shared secrets,
/// which have no place in a public file.
/// @return nothing when the text is no key set
[[nodiscard]] std::optional<std::vector<named_key>> parse_jwks(std::string_view text);

/// The age that an answer may have by its `Cache-Control: max-age`: 1 minute to 1 hour, without one 10 minutes.
[[nodiscard]] std::chrono::seconds jwks_lifetime(std::string_view cache_control) noexcept;

/// When a key set is fetched. Pure. Source: identity.md 3.4.
class jwks_schedule {
public:
    enum class advice {
        use,         ///< what is there is fresh enough
        refresh,     ///< use it, and fetch it anew beside
        nothing_to,  ///< there is nothing that could be used
    };
    /// For what is there now.
    [[nodiscard]] advice current(base::steady_time now) const noexcept;

    /// Whether to fetch for a token whose key is not there: not for a key id that was looked for in vain within 60 s,
    /// not within 30 s of the last time that this was answered with yes, nor within 5 s of a fetch that failed. So a
    /// key that has just taken over is found at once, and a flood of made-up key ids is one fetch.
    [[nodiscard]] bool fetch_for(const std::string& key_id, base::steady_time now);

    void succeeded(std::chrono::seconds lifetime, base::steady_time now) noexcept;
    void failed(base::steady_time now) noexcept { failed_at_ = now; }
    /// A key id was not in a set that has just been fetched.
    void missed(const std::string& key_id, base::steady_time now);

    /// Whether the last fetch has failed.
    [[nodiscard]] bool failing() const noexcept { return failed_at_.has_value(); }

private:
    std::optional<base::steady_time> fetched_at_;
    std::optional<base::steady_time> last_for_key_;
    std::optional<base::steady_time> failed_at_;
    std::chrono::seconds lifetime_{600};
    std::map<std::string, base::steady_time> missing_;
};

}  // namespace concurred::auth
