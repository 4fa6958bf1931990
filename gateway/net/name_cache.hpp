#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/net/address_list.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::net {

/// For how long the answers of name servers are used.
struct name_cache_limits {
    std::size_t entries = 256;
    std::chrono::seconds fresh{30};   ///< an answer is used without asking again
    std::chrono::seconds failed{2};   ///< after a failed lookup nobody asks again
    std::chrono::seconds stale{600};  ///< an answer is used if asking again fails
};

/// What is known about names, and when to ask again. Pure: every call takes `now`.
class name_cache {
public:
    enum class verdict {
        known,   ///< use the addresses
        failed,  ///< asked a moment ago, and there was no answer
        ask,
    };

    explicit name_cache(const name_cache_limits& limits = {}) : limits_(limits) {}

    /// @return `known` together with the addresses.
    [[nodiscard]] verdict find(std::string_view host, base::steady_time now, address_list& addresses);
    /// The last answer while it may be used at all: for a caller whose lookup has failed or takes too long.
    [[nodiscard]] std::optional<address_list> stale(std::string_view host, base::steady_time now) const;

    /// A lookup has succeeded. When full, the name that was not asked for the longest goes.
    void store(std::string_view host, const address_list& addresses, base::steady_time now);
    /// A lookup has failed. An older answer is kept for as long as it may be used.
    void store_failure(std::string_view host, base::steady_time now);

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
    struct entry {
        address_list addresses;
        base::steady_time answered = base::steady_time::min();
        base::steady_time failed = base::steady_time::min();
        base::steady_time used = base::steady_time::min();
    };

    [[nodiscard]] bool may_use(const entry& e, base::steady_time now) const noexcept;
    entry& entry_of(std::string_view host, base::steady_time now);

    name_cache_limits limits_;
    std::map<std::string, entry, std::less<>> entries_;
};

}  // namespace concurred::net
