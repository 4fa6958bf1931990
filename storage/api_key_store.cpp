#include "storage/api_key_store.hpp"

namespace concurred::storage {

bool api_key_patch::apply_to(api_key_row& row) const {
    bool changed = false;
    const auto set = [&changed](auto& field, const auto& value) {
        if (value && field != *value) {
            field = *value;
            changed = true;
        }
    };
    set(row.name, name);
    set(row.rate_limit, rate_limit);
    set(row.enabled, enabled);
    set(row.expires_ms, expires_ms);
    return changed;
}

}  // namespace concurred::storage
