#include "storage/sqlite.hpp"

#include "storage/sqlite_error.hpp"
#include "storage/sqlite_file.hpp"

#include <sqlite3.h>

#include <string>
#include <thread>

namespace concurred::storage {

namespace {

constexpr std::chrono::milliseconds lock_poll{10};

}  // namespace

// ---- statement and query

void sqlite_statement::finalizer::operator()(sqlite3_stmt* s) const noexcept {
    sqlite3_finalize(s);
}

sqlite_query::~sqlite_query() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

void sqlite_query::note(int code) noexcept {
    if (bind_error_ == SQLITE_OK) {
        bind_error_ = code;
    }
}

sqlite_query& sqlite_query::bind_integer(std::int64_t value) noexcept {
    note(sqlite3_bind_int64(statement_, ++bound_, value));
    return *this;
}

sqlite_query& sqlite_query::bind(std::string_view text) noexcept {
    // A null pointer would bind NULL: empty views may hold one.
    const char* data = text.data() != nullptr ? text.data() : "";
    note(sqlite3_bind_text64(statement_, ++bound_, data, text.size(), nullptr, SQLITE_UTF8));
    return *this;
}

sqlite_query& sqlite_query::bind(std::span<const std::uint8_t> bytes) noexcept {
    const void* data = bytes.data() != nullptr ? static_cast<const void*>(bytes.data()) : "";
    note(sqlite3_bind_blob64(statement_, ++bound_, data, bytes.size(), nullptr));
    return *this;
}

sqlite_query& sqlite_query::bind(std::optional<std::int64_t> value) noexcept {
    if (value) {
        return bind_integer(*value);
    }
    note(sqlite3_bind_null(statement_, ++bound_));
    return *this;
}

base::result<bool> sqlite_query::next() {
    const int code = bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(statement_);
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        return code == SQLITE_ROW;
    }
    return sqlite_error(sqlite3_db_handle(statement_), code, "statement failed");
}

base::result<void> sqlite_query::run() {
    while (true) {
        auto row = next();
        if (!row) {
            return std::move(row).error();
        }
        if (!*row) {
            return {};
        }
    }
}

std::int64_t sqlite_query::integer(int column) const noexcept {
    return sqlite3_column_int64(statement_, column);
}

std::optional<std::int64_t> sqlite_query::optional_integer(int column) const noexcept {
    if (sqlite3_column_type(statement_, column) == SQLITE_NULL) {
        return std::nullopt;
    }
    return integer(column);
}

std::string_view sqlite_query::text(int column) const noexcept {
    // As a blob: the stored bytes as they are, with their length, whatever they hold.
    const void* data = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return data == nullptr ? std::string_view()
                           : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

std::span<const std::uint8_t> sqlite_query::bytes(int column) const noexcept {
    const std::string_view octets = text(column);
    return {reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()};
}

// ---- database

void sqlite_database::closer::operator()(sqlite3* handle) const noexcept {
    sqlite3_close_v2(handle);
}

base::result<sqlite_database> sqlite_database::open(std::string path, const sqlite_options& options) {
    if (auto ready = prepare_database_file(path, options.create); !ready) {
        return std::move(ready).error();
    }
    sqlite_database database;
    database.path_ = std::move(path);
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(database.path_.c_str(), &handle,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    database.handle_.reset(handle);
    if (code != SQLITE_OK) {
        return sqlite_error(handle, code, "cannot open it", database.path_);
    }
    // SQLite falls back to reading when it may not write: say so now instead of at the first write.
    if (sqlite3_db_readonly(handle, "main") == 1) {
        return base::gateway_error(
            base::errc::service_unavailable,
            "database '" + database.path_ + "': no permission to write, or a read-only file system");
    }
    if (auto configured = database.configure(options); !configured) {
        return std::move(configured).error();
    }
    return database;
}

base::result<void> sqlite_database::configure(const sqlite_options& options) {
    sqlite3_busy_timeout(handle_.get(), static_cast<int>(options.busy_timeout.count()));
    sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    if (auto ours = refuse_foreign(); !ours) {
        return ours;
    }
    if (auto journal = use_write_ahead_log(options); !journal) {
        return journal;
    }
    std::string pragmas =
        "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY; PRAGMA synchronous=";
    pragmas.append(options.durable ? "FULL" : "NORMAL").append("; PRAGMA journal_size_limit=");
    pragmas.append(std::to_string(options.journal_limit_bytes));
    return execute(pragmas.c_str());
}

base::result<void> sqlite_database::refuse_foreign() {
    // One snapshot: another process may be making the schema just now.
    auto snapshot = sqlite_transaction::begin(*this, transaction_kind::read);
    if (!snapshot) {
        return std::move(snapshot).error();
    }
    auto owner = integer("PRAGMA application_id");
    if (!owner || *owner == sqlite_application_id) {
        return owner ? base::result<void>() : std::move(owner).error();
    }
    auto used = integer("SELECT count(*) FROM sqlite_schema");
    if (!used) {
        return std::move(used).error();
    }
    if (*owner != 0 || *used != 0) {
        return base::gateway_error(base::errc::internal,
                                   "database '" + path_ + "': this SQLite file belongs to another program");
    }
    return {};
}

base::result<void> sqlite_database::use_write_ahead_log(const sqlite_options& options) {
    // The busy handler is not asked while the journal mode changes, so that processes which make the same file together
    // would fail: wait here.
    const auto give_up = std::chrono::steady_clock::now() + options.busy_timeout;
    while (true) {
        auto statement = prepare("PRAGMA journal_mode=WAL");
        if (!statement) {
            return std::move(statement).error();
        }
        std::string mode;
        {
            sqlite_query query(*statement);
            auto row = query.next();
            if (row) {
                mode = query.text(0);
            } else if ((sqlite3_errcode(handle_.get()) & 0xff) != SQLITE_BUSY ||
                       std::chrono::steady_clock::now() >= give_up) {
                return std::move(row).error();
            }
        }
        if (mode == "wal") {
            return {};
        }
        if (!mode.empty()) {
            return base::gateway_error(base::errc::service_unavailable,
                                       "database '" + path_ +
                                           "': this file system has no shared memory for the write-ahead "
                                           "log; use a local one");
        }
        std::this_thread::sleep_for(lock_poll);
    }
}

base::result<sqlite_statement> sqlite_database::prepare(std::string_view sql) {
    sqlite3_stmt* handle = nullptr;
    const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
    if (code != SQLITE_OK) {
        return sqlite_error(handle_.get(), code, "cannot prepare a statement");
    }
    sqlite_statement statement;
    statement.handle_.reset(handle);
    return statement;
}

base::result<void> sqlite_database::execute(const char* sql) {
    const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        return sqlite_error(handle_.get(), code, "statement failed");
    }
    return {};
}

base::result<std::int64_t> sqlite_database::integer(std::string_view sql) {
    auto statement = prepare(sql);
    if (!statement) {
        return std::move(statement).error();
    }
    sqlite_query query(*statement);
    auto row = query.next();
    if (!row) {
        return std::move(row).error();
    }
    return *row ? query.integer(0) : 0;
}

base::result<void> sqlite_database::quick_check() {
    auto statement = prepare("PRAGMA quick_check(1)");
    if (!statement) {
        return std::move(statement).error();
    }
    sqlite_query query(*statement);
    auto row = query.next();
    if (!row) {
        return std::move(row).error();
    }
    if (query.text(0) == "ok") {
        return {};
    }
    return base::gateway_error(base::errc::internal, "database '" + path_ +
                                                         "': the file is damaged: " + std::string(query.text(0)) +
                                                         std::string(sqlite_advice(SQLITE_CORRUPT)));
}

std::int64_t sqlite_database::changes() const noexcept {
    return sqlite3_changes(handle_.get());
}

bool sqlite_database::in_transaction() const noexcept {
    return sqlite3_get_autocommit(handle_.get()) == 0;
}

// ---- transaction

base::result<sqlite_transaction> sqlite_transaction::begin(sqlite_database& database, transaction_kind kind) {
    if (auto begun = database.execute(kind == transaction_kind::write ? "BEGIN IMMEDIATE" : "BEGIN"); !begun) {
        return std::move(begun).error();
    }
    return sqlite_transaction(database);
}

sqlite_transaction::~sqlite_transaction() {
    // Some failures (disk full, I/O) have rolled back already.
    if (database_ != nullptr && database_->in_transaction()) {
        (void)database_->execute("ROLLBACK");
    }
}

base::result<void> sqlite_transaction::commit() {
    return database_->execute("COMMIT");
}

}  // namespace concurred::storage
