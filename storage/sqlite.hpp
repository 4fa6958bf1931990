#pragma once

#include "gateway/base/error.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace concurred::storage {

class sqlite_query;

/// In the header of our files (https://www.sqlite.org/fileformat.html, 1.3.18), to tell them from others: "CKGW".
inline constexpr std::int64_t sqlite_application_id = 0x434b4757;

/// How a database file is opened.
struct sqlite_options {
    /// true: a commit is on the disk when it returns (synchronous=FULL). false: it survives a killed process, not a
    /// power cut.
    bool durable = true;
    bool create = true;                             ///< make the file, and the folder above it, when missing
    std::chrono::milliseconds busy_timeout{2'000};  ///< longest wait for another process's lock
    std::int64_t journal_limit_bytes =
        16 * 1024 * 1024;  ///< the write-ahead log is cut back to this after a checkpoint
};

/// A compiled statement, to be run any number of times through `sqlite_query`. Must not outlive its database.
class sqlite_statement {
public:
    sqlite_statement() = default;

private:
    friend class sqlite_database;
    friend class sqlite_query;
    struct finalizer {
        void operator()(sqlite3_stmt* s) const noexcept;
    };
    std::unique_ptr<sqlite3_stmt, finalizer> handle_;
};

/// One run of a statement. Values are bound in order, rows pulled with `next`; the destructor resets the statement, so
/// that no read lock is left behind. A failed bind is reported by the following `next` or `run`.
class sqlite_query {
public:
    explicit sqlite_query(sqlite_statement& statement) noexcept : statement_(statement.handle_.get()) {}
    ~sqlite_query();
    sqlite_query(const sqlite_query&) = delete;
    sqlite_query& operator=(const sqlite_query&) = delete;

    /// Binds the next parameter. Text and bytes are not copied: they must stay until this query is destroyed.
    template <std::integral Integer>
    sqlite_query& bind(Integer value) noexcept {
        return bind_integer(static_cast<std::int64_t>(value));
    }
    sqlite_query& bind(std::string_view text) noexcept;
    sqlite_query& bind(std::span<const std::uint8_t> bytes) noexcept;
    sqlite_query& bind(std::optional<std::int64_t> value) noexcept;  ///< nullopt: NULL

    /// Moves to the next row.
    /// @returns false when there is none
    [[nodiscard]] base::result<bool> next();
    /// Runs to the end, ignoring rows.
    [[nodiscard]] base::result<void> run();

    /// Values of the current row, by column number from 0.
    [[nodiscard]] std::int64_t integer(int column) const noexcept;
    [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const noexcept;
    [[nodiscard]] bool truth(int column) const noexcept { return integer(column) != 0; }
    /// Valid until the next call of `next` or `run`.
    [[nodiscard]] std::string_view text(int column) const noexcept;
    [[nodiscard]] std::span<const std::uint8_t> bytes(int column) const noexcept;  ///< as long as `text`

private:
    sqlite_query& bind_integer(std::int64_t value) noexcept;
    void note(int code) noexcept;

    sqlite3_stmt* statement_;
    int bound_ = 0;
    int bind_error_ = 0;
};

/// One connection to one SQLite file. Used by one thread at a time; may be moved between threads, never across fork().
class sqlite_database {
public:
    /// Opens `path` in write-ahead mode, with foreign keys and the journal limit on. A new file has mode 0600, a new
    /// folder 0700. Says which of these it was: folder missing and not creatable, no permission, read-only, not a
    /// database, locked, or of another program (then the file is left as it was).
    [[nodiscard]] static base::result<sqlite_database> open(std::string path, const sqlite_options& options = {});

    /// Compiles one statement for repeated use.
    [[nodiscard]] base::result<sqlite_statement> prepare(std::string_view sql);
    /// Runs one or more statements without parameters, ignoring rows.
    [[nodiscard]] base::result<void> execute(const char* sql);
    /// First column of the first row of `sql`; 0 when there is no row.
    [[nodiscard]] base::result<std::int64_t> integer(std::string_view sql);
    /// Reads the whole file and checks its structure. Fails with the first damage found.
    [[nodiscard]] base::result<void> quick_check();

    /// Rows that the last statement inserted, changed or deleted.
    [[nodiscard]] std::int64_t changes() const noexcept;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Whether a transaction is open.
    [[nodiscard]] bool in_transaction() const noexcept;
    /// For parts of SQLite that this class leaves out. Lives as long as the database.
    [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }

private:
    struct closer {
        void operator()(sqlite3* handle) const noexcept;
    };
    [[nodiscard]] base::result<void> configure(const sqlite_options& options);
    [[nodiscard]] base::result<void> refuse_foreign();
    [[nodiscard]] base::result<void> use_write_ahead_log(const sqlite_options& options);

    std::unique_ptr<sqlite3, closer> handle_;
    std::string path_;
};

/// What a transaction is for.
enum class transaction_kind {
    read,   ///< several reads that see one state
    write,  ///< takes the write lock at once (BEGIN IMMEDIATE), so that it cannot fail half-way for want of it
};

/// A transaction that is rolled back unless committed. Not nested.
class sqlite_transaction {
public:
    /// @param database outlives the transaction
    [[nodiscard]] static base::result<sqlite_transaction> begin(sqlite_database& database,
                                                                transaction_kind kind = transaction_kind::write);
    ~sqlite_transaction();
    sqlite_transaction(sqlite_transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
    sqlite_transaction& operator=(sqlite_transaction&&) = delete;

    /// After a failure nothing of the transaction is kept.
    [[nodiscard]] base::result<void> commit();

private:
    explicit sqlite_transaction(sqlite_database& database) noexcept : database_(&database) {}

    sqlite_database* database_;
};

}  // namespace concurred::storage
