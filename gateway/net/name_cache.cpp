#include "gateway/net/name_cache.hpp"

#include <algorithm>

namespace concurred::net {

bool name_cache::may_use(const entry& e, base::steady_time now) const noexcept {
    return !e.addresses.empty() && now < e.answered + limits_.stale;
}

name_cache::verdict name_cache::find(std::string_view host, base::steady_time now, address_list& addresses) {
    const auto found = entries_.find(host);
    if (found == entries_.end()) {
        return verdict::ask;
    }
    entry& e = found->second;
    e.used = now;
    const bool fresh = !e.addresses.empty() && now < e.answered + limits_.fresh;
    const bool asked_in_vain = e.failed != base::steady_time::min() && now < e.failed + limits_.failed;
    if (fresh || (asked_in_vain && may_use(e, now))) {
        addresses = e.addresses;
        return verdict::known;
    }
    return asked_in_vain ? verdict::failed : verdict::ask;
}

std::optional<address_list> name_cache::stale(std::string_view host, base::steady_time now) const {
    const auto found = entries_.find(host);
    if (found == entries_.end() || !may_use(found->second, now)) {
        return std::nullopt;
    }
    return found->second.addresses;
}

name_cache::entry& name_cache::entry_of(std::string_view host, base::steady_time now) {
    const auto found = entries_.find(host);
    if (found != entries_.end()) {
        return found->second;
    }
    if (!entries_.empty() && entries_.size() >= limits_.entries) {
        entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
    }
    entry& made = entries_[std::string(host)];
    made.used = now;
    return made;
}

void name_cache::store(std::string_view host, const address_list& addresses, base::steady_time now) {
    entry& e = entry_of(host, now);
    e.addresses = addresses;
    e.answered = now;
    e.failed = base::steady_time::min();
}

void name_cache::store_failure(std::string_view host, base::steady_time now) {
    entry& e = entry_of(host, now);
    e.failed = now;
}

}  // namespace concurred::net
