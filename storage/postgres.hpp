#pragma once

#include "gateway/base/error.hpp"

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct pg_conn;
struct pg_result;

namespace concurred::storage {

/// Parameters of a statement, in order, as text.
class postgres_values {
public:
    template <std::integral Integer>
    postgres_values& add(Integer value) {
        values_.emplace_back(std::to_string(value));
        return *this;
    }
    postgres_values& add(bool value) {
        values_.emplace_back(value ? "t" : "f");
        return *this;
    }
    /// Made valid for the database: see `postgres_text`.
    postgres_values& add(std::string_view text);
    postgres_values& add(std::optional<std::int64_t> value);
    /// As it is: an array's literal.
    postgres_values& add_literal(std::string literal) {
        values_.emplace_back(std::move(literal));
        return *this;
    }
    [[nodiscard]] const std::vector<std::optional<std::string>>& all() const noexcept { return values_; }

private:
    std::vector<std::optional<std::string>> values_;
};

/// An array's literal, built element by element.
class postgres_array {
public:
    void add(std::int64_t value) { begin().append(std::to_string(value)); }
    void add(std::string_view text);
    [[nodiscard]] std::string take() && {
        text_.append(text_.empty() ? "{}" : "}");
        return std::move(text_);
    }

private:
    std::string& begin() { return text_.append(text_.empty() ? "{" : ","); }

    std::string text_;
};

/// `text` as the database takes it: octets that are no UTF-8 become U+FFFD, and so do NULs, which it refuses.
[[nodiscard]] std::string postgres_text(std::string_view text);

/// Rows of an answer.
class postgres_rows {
public:
    explicit postgres_rows(pg_result* result) noexcept : result_(result) {}

    [[nodiscard]] int count() const noexcept;
    [[nodiscard]] std::string_view text(int row, int column) const noexcept;
    [[nodiscard]] std::int64_t integer(int row, int column) const noexcept;
    [[nodiscard]] std::optional<std::int64_t> optional_integer(int row, int column) const noexcept;
    [[nodiscard]] bool truth(int row, int column) const noexcept { return text(row, column) == "t"; }
    /// Rows that the statement changed.
    [[nodiscard]] std::int64_t changed() const noexcept;

private:
    struct clearer {
        void operator()(pg_result* r) const noexcept;
    };
    std::unique_ptr<pg_result, clearer> result_;
};

/// One connection to PostgreSQL, made when it is needed and again after it broke. Keeps no state in the session, so
/// that it works through a pooler that changes the session with every transaction. Blocks; used by one thread at a
/// time.
class postgres_database {
public:
    /// @param url postgres://user:password@host:port/name?sslmode=...; does no I/O
    explicit postgres_database(std::string url) noexcept : url_(std::move(url)) {}
    ~postgres_database();
    postgres_database(const postgres_database&) = delete;
    postgres_database& operator=(const postgres_database&) = delete;

    /// Runs one statement. Outside of a transaction it is sent again, once, over a new connection when the old one
    /// turns out to be dead: what is run must bear to be done twice, or be part of a transaction. Errors: `conflict`
    /// when the data is to blame, whatever the weather; service_unavailable when the server is away, full, or another
    /// transaction was in the way; else internal. Texts are for the operator, and hold no password.
    [[nodiscard]] base::result<postgres_rows> run(const char* sql, const postgres_values& values = {});
    /// Runs several statements without parameters.
    [[nodiscard]] base::result<void> run_all(const char* sql);

    [[nodiscard]] bool in_transaction() const noexcept { return in_transaction_; }

private:
    friend class postgres_transaction;
    [[nodiscard]] base::result<void> connect();
    [[nodiscard]] base::result<postgres_rows> check(pg_result* answer, const char* doing);
    [[nodiscard]] bool broken() const noexcept;

    const std::string url_;
    pg_conn* connection_ = nullptr;
    bool in_transaction_ = false;
};

/// A transaction that is rolled back unless committed. Not nested.
class postgres_transaction {
public:
    [[nodiscard]] static base::result<postgres_transaction> begin(postgres_database& database);
    ~postgres_transaction();
    postgres_transaction(postgres_transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
    postgres_transaction& operator=(postgres_transaction&&) = delete;
    [[nodiscard]] base::result<void> commit();

private:
    explicit postgres_transaction(postgres_database& database) noexcept : database_(&database) {}
    postgres_database* database_;
};

/// Brings the schema to the latest version, in one transaction under a lock: of processes that start together one does
/// it, and the others wait.
/// @returns the version found before: 0 for a new database. Fails, and changes nothing, where a newer program was.
[[nodiscard]] base::result<int> migrate(postgres_database& database);
[[nodiscard]] int latest_postgres_version() noexcept;

}  // namespace concurred::storage
