#pragma once

#include "crypto/key_ring.hpp"
#include "gateway/base/error.hpp"
#include "storage/provider_key_store.hpp"

#include <array>
#include <string>
#include <string_view>

namespace concurred::storage {

/// The providers whose keys can be brought.
inline constexpr std::array<std::string_view, 6> byok_providers{"openai", "anthropic",  "google",
                                                                "x-ai",   "openrouter", "minimax"};

/// A provider key as somebody brings it.
struct new_provider_key {
    std::string owner;
    std::string provider;
    std::string slug;
    std::string display_name;   ///< empty: the slug
    crypto::secret_string key;  ///< spaces around it are dropped
};

/// Checks what was brought and makes the row of it, sealed for its place.
/// Errors: bad_request that names the field and what is allowed, never the key; internal without a master key.
[[nodiscard]] base::result<provider_key_row> make_provider_key(const new_provider_key& brought,
                                                               const crypto::key_ring& ring, std::int64_t now_ms);

/// Seals the key of a row again with the ring's active key.
/// @return what is to be stored; errors: internal when the row cannot be opened
[[nodiscard]] base::result<std::string> seal_again(const provider_key_row& row, const crypto::key_ring& ring);

/// Whether the ring is the one that this database was written with: by its canaries, which are made where there are
/// none yet. A wrong master key is noticed here, before anything is sealed with it.
/// Errors: internal, in words for the operator.
[[nodiscard]] base::result<void> check_master_keys(provider_key_store& store, const crypto::key_ring& ring);

}  // namespace concurred::storage
