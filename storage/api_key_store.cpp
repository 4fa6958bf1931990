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
    set(row.spend.tokens_per_minute, tokens_per_minute);
    set(row.spend.concurrency, concurrency);
    set(row.spend.budget_day_nano_usd, budget_day_nano_usd);
    set(row.spend.budget_month_nano_usd, budget_month_nano_usd);
    return changed;
}

}  // namespace concurred::storage
