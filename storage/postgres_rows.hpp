#pragma once

#include "storage/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace concurred::storage {

// What stores in PostgreSQL do with the rows of an answer.

/// One row. The rows outlive it.
class postgres_row {
public:
    postgres_row(const postgres_rows& rows, int at) noexcept : rows_(rows), at_(at) {}

    [[nodiscard]] std::string_view text(int column) const noexcept { return rows_.text(at_, column); }
    [[nodiscard]] std::int64_t integer(int column) const noexcept { return rows_.integer(at_, column); }
    [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const noexcept {
        return rows_.optional_integer(at_, column);
    }
    [[nodiscard]] bool truth(int column) const noexcept { return rows_.truth(at_, column); }

private:
    const postgres_rows& rows_;
    int at_;
};

/// Runs a statement: all rows, each as `read` makes it of a `postgres_row`.
template <class Read>
auto all_rows(postgres_database& database, const std::string& sql, const postgres_values& values, Read read)
    -> base::result<std::vector<decltype(read(std::declval<postgres_row>()))>> {
    auto rows = database.run(sql.c_str(), values);
    if (!rows) {
        return std::move(rows).error();
    }
    std::vector<decltype(read(std::declval<postgres_row>()))> all;
    for (int at = 0; at < rows->count(); ++at) {
        all.push_back(read(postgres_row(*rows, at)));
    }
    return all;
}

/// Runs a statement: the first row; nullopt when there is none.
template <class Read>
auto first_row(postgres_database& database, const std::string& sql, const postgres_values& values, Read read)
    -> base::result<std::optional<decltype(read(std::declval<postgres_row>()))>> {
    auto rows = database.run(sql.c_str(), values);
    if (!rows) {
        return std::move(rows).error();
    }
    return rows->count() != 0 ? std::optional(read(postgres_row(*rows, 0))) : std::nullopt;
}

/// Runs a statement: the first column of its one row. @pre it has a row
inline base::result<std::int64_t> integer_of(postgres_database& database, const char* sql,
                                             const postgres_values& values = {}) {
    auto rows = database.run(sql, values);
    if (!rows) {
        return std::move(rows).error();
    }
    return rows->integer(0, 0);
}

/// Runs a statement: whether it has a row.
inline base::result<bool> had_row(postgres_database& database, const char* sql, const postgres_values& values) {
    auto rows = database.run(sql, values);
    if (!rows) {
        return std::move(rows).error();
    }
    return rows->count() != 0;
}

/// The number of a new change, within a transaction: others who want one wait for its end.
inline base::result<std::int64_t> draw_change(postgres_database& database) {
    return integer_of(database, "UPDATE change_counter SET value = value + 1 RETURNING value");
}

/// Runs a statement that has nothing to say.
inline base::result<void> execute(postgres_database& database, const char* sql, const postgres_values& values) {
    auto rows = database.run(sql, values);
    return rows ? base::result<void>() : base::result<void>(std::move(rows).error());
}

}  // namespace concurred::storage
