#pragma once

#include "gateway/base/error.hpp"

#include <string_view>

struct sqlite3;

namespace concurred::storage {

/// Describes the failure `code` of a call on `handle` as "database '<path>': <doing>: <SQLite's text>; <advice>".
/// Locked, full, unwritable: `service_unavailable`; a broken rule of the schema: `conflict`; all else: `internal`.
/// The text is for the operator, never for a client.
/// @param handle may be null
/// @param code an (extended) SQLite result code
/// @param path named in the text; empty: that of `handle`
[[nodiscard]] base::error sqlite_error(sqlite3* handle, int code, std::string_view doing, std::string_view path = {});

/// What the operator can do about `code`, as the end of a sentence: "; free some space". Empty when there is nothing to
/// say.
[[nodiscard]] std::string_view sqlite_advice(int code) noexcept;

}  // namespace concurred::storage
