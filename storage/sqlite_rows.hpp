#pragma once

#include "storage/sqlite.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace concurred::storage {

// What stores in SQLite do with their statements.

/// Compiles statements, in whose texts an @ stands for `columns`.
template <std::size_t Count>
base::result<void> prepare_all(sqlite_database& database, const std::array<std::string_view, Count>& texts,
                               std::string_view columns, std::array<sqlite_statement, Count>& to) {
    for (std::size_t i = 0; i < Count; ++i) {
        std::string text(texts[i]);
        if (const std::size_t at = text.find('@'); at != std::string::npos) {
            text.replace(at, 1, columns);
        }
        auto prepared = database.prepare(text);
        if (!prepared) {
            return std::move(prepared).error();
        }
        to[i] = std::move(*prepared);
    }
    return {};
}

/// All rows, each as `read` makes it of the query.
template <class Read>
auto all_rows(sqlite_query& query, Read read) -> base::result<std::vector<decltype(read(query))>> {
    std::vector<decltype(read(query))> rows;
    while (true) {
        auto found = query.next();
        if (!found) {
            return std::move(found).error();
        }
        if (!*found) {
            return rows;
        }
        rows.push_back(read(query));
    }
}

/// The first row; nullopt when there is none.
template <class Read>
auto first_row(sqlite_query& query, Read read) -> base::result<std::optional<decltype(read(query))>> {
    auto found = query.next();
    if (!found) {
        return std::move(found).error();
    }
    return *found ? std::optional(read(query)) : std::nullopt;
}

/// The first column of the one row of a statement that is run to its end. @pre it has a row
inline base::result<std::int64_t> integer_of(sqlite_query& query) {
    auto found = query.next();
    if (!found) {
        return std::move(found).error();
    }
    const std::int64_t value = query.integer(0);
    if (auto done = query.run(); !done) {
        return std::move(done).error();
    }
    return value;
}

/// Whether a statement has had a row; it is run to its end.
inline base::result<bool> had_row(sqlite_query& query) {
    auto found = query.next();
    if (found && *found) {
        if (auto done = query.run(); !done) {
            return std::move(done).error();
        }
    }
    return found;
}

}  // namespace concurred::storage
