#pragma once

#include "auth/gcra.hpp"
#include "auth/session.hpp"
#include "auth/spend.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/fixed_text.hpp"
#include "gateway/base/usage_record.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace concurred::auth {

class key_state;

inline constexpr std::size_t max_permissions_length = 126;

/// By what a caller has shown who it is.
enum class credential_kind : std::uint8_t {
    api_key,
    session,  ///< the dashboard's cookie: `key_id` is of no key then
};

/// What a store or a key service says about a key, before it is believed.
struct principal_fields {
    std::string_view owner{};
    std::string_view key_id{};
    std::string_view name{};
    std::uint32_t rate_limit = 0;  ///< requests per `rate_window`
    std::chrono::milliseconds rate_window{60'000};
    spend_limits spend{};
    std::int64_t expires_ms = 0;     ///< Unix milliseconds; 0: never
    std::string_view permissions{};  ///< names separated by one space
    std::int64_t verified_ms = 0;    ///< when the answer was read from its source, Unix milliseconds
};

/// Who sends a request: an owner through one of the owner's keys, or signed in to the dashboard. A plain value without
/// pointers to text: copying it into an exchange does not allocate.
class principal {
public:
    // What every request reads comes first, in the first cache line.
    key_state* state = nullptr;    ///< shared between shards; never null; lives as long as its table
    std::uint64_t generation = 0;  ///< set by the cache: counts while `state->generation()` is this
    gcra_limit limit;              ///< the key's own; burst = limit
    spend_state* spend = nullptr;  ///< of the key's limits besides requests; null: it has none
    std::int64_t expires_ms = 0;   ///< Unix milliseconds; 0: never
    std::int64_t verified_ms = 0;  ///< Unix milliseconds; the age of this knowledge over all layers of caches
    base::fixed_text<base::max_id_length> owner;
    base::fixed_text<base::max_id_length> key_id;
    base::fixed_text<64> name;                             ///< for logs and displays; cut
    base::fixed_text<max_permissions_length> permissions;  ///< see `has_permission`
    credential_kind kind = credential_kind::api_key;

    /// Whether the key's own time is over. Ask at every use: the answer changes without anybody writing anything.
    [[nodiscard]] bool expired(base::wall_time now) const noexcept {
        return expires_ms != 0 && base::unix_millis(now) >= expires_ms;
    }
    /// Whether the key was given a permission by this name.
    [[nodiscard]] bool has_permission(std::string_view permission) const noexcept;

private:
    friend base::result<principal> make_principal(const principal_fields& fields, key_state& state);
    friend principal make_session_principal(const session& who, std::uint32_t per_minute, key_state& state);
    principal() = default;
};

/// Checks what a store says and makes the principal of it.
/// @param state of the same key id. @param fields only read during the call.
/// @return errc::internal when an id is empty or longer than base::max_id_length (usage would be booked on a cut id,
/// that is, on somebody else), when the limit or its window is 0 or the window is longer than 366 days, or when the
/// permissions do not fit (dropping some would deny or, where they restrict, allow).
[[nodiscard]] base::result<principal> make_principal(const principal_fields& fields, key_state& state);

/// What the limits of a session are counted under, in the place of a key's id: "session:" and the owner.
[[nodiscard]] base::fixed_text<base::max_id_length> session_limit_id(const session& who) noexcept;

/// The principal of a session: all sessions of an owner share one limit.
/// @param per_minute requests, above 0. @param state of `session_limit_id`
[[nodiscard]] principal make_session_principal(const session& who, std::uint32_t per_minute, key_state& state);

}  // namespace concurred::auth
