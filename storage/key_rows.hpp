#pragma once

#include "storage/api_key_store.hpp"
#include "storage/provider_key_store.hpp"

#include <cstdint>
#include <string_view>

namespace concurred::storage {

// Rows of keys as all databases have them. `Row` is a row of an answer: text, integer, optional_integer and truth of
// the column with a number, from 0.

/// Columns of `api_key`, in the order in which they are read and inserted.
inline constexpr std::string_view api_key_columns =
    "id, hash, start, name, owner_id, enabled, expires_ms, rate_limit, rate_window_ms, meta, permissions, created_ms, "
    "updated_ms, deleted_ms, last_used_ms, change_number, token_limit, concurrency, budget_day_nano_usd, "
    "budget_month_nano_usd";

template <class Row>
api_key_row read_api_key(const Row& from) {
    api_key_row row;
    row.id = from.text(0);
    row.hash = from.text(1);
    row.start = from.text(2);
    row.name = from.text(3);
    row.owner_id = from.text(4);
    row.enabled = from.truth(5);
    row.expires_ms = from.optional_integer(6);
    row.rate_limit = static_cast<std::uint32_t>(from.integer(7));
    row.rate_window_ms = from.integer(8);
    row.meta = from.text(9);
    row.permissions = from.text(10);
    row.created_ms = from.integer(11);
    row.updated_ms = from.integer(12);
    row.deleted_ms = from.optional_integer(13);
    row.last_used_ms = from.optional_integer(14);
    row.change_number = static_cast<std::uint64_t>(from.integer(15));
    row.spend.tokens_per_minute = static_cast<std::uint64_t>(from.integer(16));
    row.spend.concurrency = static_cast<std::uint32_t>(from.integer(17));
    row.spend.budget_day_nano_usd = from.integer(18);
    row.spend.budget_month_nano_usd = from.integer(19);
    return row;
}

/// Columns of `provider_key`, in the order in which they are read and inserted.
inline constexpr std::string_view provider_key_columns =
    "id, owner_id, provider, slug, display_name, last_four, sealed, sealed_with, created_ms, deleted_ms, change_number";

template <class Row>
provider_key_row read_provider_key(const Row& from) {
    provider_key_row row;
    row.id = from.text(0);
    row.owner_id = from.text(1);
    row.provider = from.text(2);
    row.slug = from.text(3);
    row.display_name = from.text(4);
    row.last_four = from.text(5);
    row.sealed = from.text(6);
    row.sealed_with = from.text(7);
    row.created_ms = from.integer(8);
    row.deleted_ms = from.optional_integer(9);
    row.change_number = static_cast<std::uint64_t>(from.integer(10));
    return row;
}

template <class Row>
canary_row read_canary(const Row& from) {
    return {std::string(from.text(0)), std::string(from.text(1))};
}

}  // namespace concurred::storage
