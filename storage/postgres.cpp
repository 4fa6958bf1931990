#include "storage/postgres.hpp"

#include <libpq-fe.h>

#include <charconv>
#include <cstring>

namespace concurred::storage {

namespace {

// The database thread waits no longer than this for a server that does not answer.
constexpr const char* connect_timeout_seconds = "2";
constexpr const char* user_timeout_ms = "5000";

std::size_t sequence_length(std::string_view text) noexcept {
    const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto tail = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
    const unsigned lead = at(0);
    if (lead < 0x80) {
        return lead == 0 ? 0 : 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return tail(1) ? 2 : 0;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        const bool good = tail(1) && tail(2) && !(lead == 0xE0 && at(1) < 0xA0) && !(lead == 0xED && at(1) > 0x9F);
        return good ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const bool good =
            tail(1) && tail(2) && tail(3) && !(lead == 0xF0 && at(1) < 0x90) && !(lead == 0xF4 && at(1) > 0x8F);
        return good ? 4 : 0;
    }
    return 0;
}

base::errc errc_of(std::string_view state) noexcept {
    const std::string_view group = state.substr(0, 2);
    if (group == "22" || group == "23") {  // data exception, integrity constraint violation
        return base::errc::conflict;
    }
    // Connection, rollback by others, resources (disk full too), locks, operator, system; no state: no connection.
    for (const std::string_view weather : {"08", "40", "53", "55", "57", "58", ""}) {
        if (group == weather) {
            return base::errc::service_unavailable;
        }
    }
    return base::errc::internal;
}

std::string one_line(const char* text) {
    std::string line(text == nullptr ? "" : text);
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) {
        line.pop_back();
    }
    for (char& c : line) {
        c = c == '\n' ? ' ' : c;
    }
    return line;
}

base::error failure(std::string_view state, const char* doing, const char* why) {
    return base::gateway_error(errc_of(state), "PostgreSQL: " + std::string(doing) + ": " + one_line(why));
}

}  // namespace

std::string postgres_text(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        out.append(length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length));
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

postgres_values& postgres_values::add(std::string_view text) {
    values_.emplace_back(postgres_text(text));
    return *this;
}

postgres_values& postgres_values::add(std::optional<std::int64_t> value) {
    values_.push_back(value ? std::optional(std::to_string(*value)) : std::nullopt);
    return *this;
}

void postgres_array::add(std::string_view text) {
    std::string& out = begin();
    out.push_back('"');
    for (const char c : postgres_text(text)) {
        if (c == '"' || c == '\\') {
            out.push_back('\\');
        }
        out.push_back(c);
    }
    out.push_back('"');
}

void postgres_rows::clearer::operator()(pg_result* r) const noexcept {
    PQclear(r);
}

int postgres_rows::count() const noexcept {
    return PQntuples(result_.get());
}

std::string_view postgres_rows::text(int row, int column) const noexcept {
    return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t postgres_rows::integer(int row, int column) const noexcept {
    const std::string_view digits = text(row, column);
    std::int64_t value = 0;
    static_cast<void>(std::from_chars(digits.data(), digits.data() + digits.size(), value));
    return value;
}

std::optional<std::int64_t> postgres_rows::optional_integer(int row, int column) const noexcept {
    return PQgetisnull(result_.get(), row, column) != 0 ? std::nullopt : std::optional(integer(row, column));
}

std::int64_t postgres_rows::changed() const noexcept {
    const std::string_view digits = PQcmdTuples(result_.get());
    std::int64_t value = 0;
    static_cast<void>(std::from_chars(digits.data(), digits.data() + digits.size(), value));
    return value;
}

postgres_database::~postgres_database() {
    PQfinish(connection_);
}

bool postgres_database::broken() const noexcept {
    return connection_ == nullptr || PQstatus(connection_) != CONNECTION_OK;
}

base::result<void> postgres_database::connect() {
    if (!broken()) {
        return {};
    }
    PQfinish(connection_);
    // Later entries win over the URL's only where it says nothing: expand_dbname takes the first as the URL.
    const char* const names[] = {"connect_timeout", "tcp_user_timeout", "dbname", "application_name", nullptr};
    const char* const values[] = {connect_timeout_seconds, user_timeout_ms, url_.c_str(), "concurred", nullptr};
    connection_ = PQconnectdbParams(names, values, 1);
    if (broken()) {
        return failure("", "cannot connect", connection_ == nullptr ? "no memory" : PQerrorMessage(connection_));
    }
    PQsetNoticeProcessor(
        connection_, [](void*, const char*) {}, nullptr);
    return {};
}

base::result<postgres_rows> postgres_database::check(pg_result* answer, const char* doing) {
    postgres_rows rows(answer);
    const ExecStatusType status = PQresultStatus(answer);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        return rows;
    }
    const char* const state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    const char* const text = answer == nullptr ? PQerrorMessage(connection_) : PQresultErrorMessage(answer);
    return failure(state == nullptr ? "" : state, doing, text);
}

base::result<postgres_rows> postgres_database::run(const char* sql, const postgres_values& values) {
    std::vector<const char*> texts;
    for (const auto& value : values.all()) {
        texts.push_back(value ? value->c_str() : nullptr);
    }
    for (bool again = false;; again = true) {
        if (in_transaction_ && broken()) {
            return failure("08006", "in a transaction", "the connection was lost");
        }
        if (auto connected = connect(); !connected) {
            return std::move(connected).error();
        }
        auto rows = check(
            PQexecParams(connection_, sql, static_cast<int>(texts.size()), nullptr, texts.data(), nullptr, nullptr, 0),
            "a statement failed");
        if (rows || again || in_transaction_ || !broken()) {
            return rows;
        }
    }
}

base::result<void> postgres_database::run_all(const char* sql) {
    if (!in_transaction_) {
        if (auto connected = connect(); !connected) {
            return connected;
        }
    }
    auto done = check(PQexec(connection_, sql), "a statement failed");
    return done ? base::result<void>() : base::result<void>(std::move(done).error());
}

base::result<postgres_transaction> postgres_transaction::begin(postgres_database& database) {
    auto begun = database.run("BEGIN");
    if (!begun) {
        return std::move(begun).error();
    }
    database.in_transaction_ = true;
    return postgres_transaction(database);
}

postgres_transaction::~postgres_transaction() {
    if (database_ != nullptr) {
        if (!database_->broken()) {
            static_cast<void>(database_->run_all("ROLLBACK"));
        }
        database_->in_transaction_ = false;
    }
}

base::result<void> postgres_transaction::commit() {
    auto done = database_->run("COMMIT");
    database_->in_transaction_ = false;
    database_ = nullptr;
    return done ? base::result<void>() : base::result<void>(std::move(done).error());
}

}  // namespace concurred::storage
