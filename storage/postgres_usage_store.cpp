#include "storage/postgres_usage_store.hpp"

#include "crypto/random.hpp"
#include "storage/postgres.hpp"
#include "storage/usage_columns.hpp"
#include "storage/usage_report_builder.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

namespace concurred::storage {

namespace {

struct event_column {
    const char* name;
    const char* type;
};

/// Columns of `usage_event`, in the order of `arrays_of` and `read_event`.
constexpr std::array<event_column, 26> event_columns{{
    {"event_id", "uuid"},
    {"day", "integer"},
    {"admitted_ms", "bigint"},
    {"status", "integer"},
    {"ended", "integer"},
    {"byok", "boolean"},
    {"stream", "boolean"},
    {"estimated", "boolean"},
    {"priced", "boolean"},
    {"price_version", "bigint"},
    {"prompt_tokens", "bigint"},
    {"cache_read_tokens", "bigint"},
    {"cache_write_tokens", "bigint"},
    {"completion_tokens", "bigint"},
    {"reasoning_tokens", "bigint"},
    {"reserved_tokens", "bigint"},
    {"cost_nano_usd", "bigint"},
    {"latency_ms", "bigint"},
    {"first_token_ms", "bigint"},
    {"owner", "text"},
    {"key_id", "text"},
    {"endpoint", "text"},
    {"provider", "text"},
    {"model_requested", "text"},
    {"model", "text"},
    {"upstream_request_id", "text"},
}};
// Then come three sums that are no columns of a record.
constexpr std::size_t array_count = event_columns.size() + 3;

std::string event_list() {
    std::string text;
    for (const event_column& column : event_columns) {
        text.append(text.empty() ? "" : ", ").append(column.name);
    }
    return text;
}

/// One statement: what it inserts anew, and only that, is added to the sums; in the order of their key, so that two
/// processes cannot deadlock.
std::string apply_text() {
    std::string arrays;
    for (std::size_t i = 0; i < array_count; ++i) {
        const char* const type = i < event_columns.size() ? event_columns[i].type : "bigint";
        arrays += (i == 0 ? "$" : ", $") + std::to_string(i + 1) + "::" + type + "[]";
    }
    const std::string events = event_list();
    const std::string key = "owner, day, key_id, model, provider, byok";
    std::string names;
    std::string sums;
    std::string added;
    for (const sum_column& column : sum_columns) {
        const std::string name = column.name;
        const std::string least = "least(" + std::to_string(largest_sum) + ", ";
        names += ", " + name;
        const bool counted = name == "requests";
        const bool flag = name == "estimated_requests";
        const bool ours = name == "failed" || name == "errors" || name == "unpriced_requests";
        sums += ", " + (counted ? "count(*)"
                        : flag  ? "count(*) FILTER (WHERE f.estimated)"
                        : ours  ? least + "sum(i." + name + "))::bigint"
                                : least + "sum(f." + name + "))::bigint");
        added +=
            (added.empty() ? "" : ", ") + name + " = " + least + "usage_daily." + name + " + EXCLUDED." + name + ")";
    }
    return "WITH input AS (SELECT DISTINCT ON (day, event_id) * FROM unnest(" + arrays + ") AS t(" + events +
           ", failed, errors, unpriced_requests)), fresh AS (INSERT INTO usage_event (" + events + ") SELECT " +
           events +
           " FROM input ON CONFLICT (day, event_id) DO NOTHING RETURNING *), summed AS (INSERT INTO usage_daily (" +
           key + names + ") SELECT f.owner, f.day, f.key_id, f.model, f.provider, f.byok" + sums +
           " FROM fresh f JOIN input i ON i.event_id = f.event_id AND i.day = f.day "
           "GROUP BY f.owner, f.day, f.key_id, f.model, f.provider, f.byok "
           "ORDER BY f.owner COLLATE \"C\", f.day, f.key_id COLLATE \"C\", f.model COLLATE \"C\", f.provider COLLATE "
           "\"C\", f.byok "
           "ON CONFLICT (" +
           key + ") DO UPDATE SET " + added + ") SELECT count(*) FROM fresh";
}

std::int64_t bounded(std::uint64_t value) noexcept {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value, 1'000'000'000'000));
}

postgres_values arrays_of(usage_batch records) {
    std::array<postgres_array, array_count> arrays;
    for (const base::usage_record* record : records) {
        const base::usage_record& r = *record;
        const usage_sums sums = sums_of(r);
        std::size_t column = 0;
        const auto number = [&](std::int64_t value) { arrays[column++].add(value); };
        const auto text = [&](std::string_view value) { arrays[column++].add(value); };
        const auto truth = [&](bool value) { arrays[column++].add(std::string_view(value ? "t" : "f")); };
        text(crypto::to_text(r.id));
        number(r.day);
        number(r.admitted_ms);
        number(r.status);
        number(static_cast<int>(r.end));
        truth(r.byok);
        truth(r.stream);
        truth(r.estimated);
        truth(r.priced);
        number(r.price_version);
        number(sums.prompt_tokens);
        number(sums.cache_read_tokens);
        number(sums.cache_write_tokens);
        number(sums.completion_tokens);
        number(sums.reasoning_tokens);
        number(bounded(r.reserved_tokens));
        number(sums.cost_nano_usd);
        number(r.latency_ms);
        number(r.first_token_ms);
        text(r.owner.view());
        text(r.key_id.view());
        text(r.endpoint.view());
        text(r.provider.view());
        text(r.model_requested.view());
        text(r.model.view());
        text(r.upstream_request_id.view());
        number(sums.failed);
        number(sums.errors);
        number(sums.unpriced_requests);
    }
    postgres_values values;
    for (postgres_array& array : arrays) {
        values.add_literal(std::move(array).take());
    }
    return values;
}

base::usage_record read_event(const postgres_rows& rows, const base::event_id& id) {
    int column = 1;
    const auto number = [&] { return rows.integer(0, column++); };
    const auto count = [&] { return static_cast<std::uint64_t>(rows.integer(0, column++)); };
    const auto truth = [&] { return rows.truth(0, column++); };
    const auto text = [&] { return rows.text(0, column++); };
    base::usage_record r;
    r.id = id;
    r.day = static_cast<std::int32_t>(number());
    r.admitted_ms = number();
    r.status = static_cast<std::uint16_t>(number());
    r.end = static_cast<base::end_reason>(number());
    r.byok = truth();
    r.stream = truth();
    r.estimated = truth();
    r.priced = truth();
    r.price_version = static_cast<std::uint32_t>(number());
    r.tokens.prompt = count();
    r.tokens.cache_read = count();
    r.tokens.cache_write = count();
    r.tokens.completion = count();
    r.tokens.reasoning = count();
    r.reserved_tokens = count();
    r.cost_nano_usd = number();
    r.latency_ms = static_cast<std::uint32_t>(number());
    r.first_token_ms = static_cast<std::uint32_t>(number());
    r.owner = text();
    r.key_id = text();
    r.endpoint = text();
    r.provider = text();
    r.model_requested = text();
    r.model = text();
    r.upstream_request_id = text();
    return r;
}

/// An id begins with the milliseconds of the moment from which the record's day is.
std::int32_t day_of(const base::event_id& id) noexcept {
    std::int64_t ms = 0;
    for (std::size_t i = 0; i < 6; ++i) {
        ms = ms << 8 | id[i];
    }
    return static_cast<std::int32_t>(ms / 86'400'000);
}

struct month {
    std::string table;
    std::int32_t first = 0;
    std::int32_t end = 0;
};

month month_of(std::int32_t day, int later) {
    using namespace std::chrono;
    const year_month_day date{sys_days(days(day))};
    const year_month at = date.year() / date.month() + months(later);
    char name[40];
    std::snprintf(name, sizeof(name), "usage_event_%04d_%02u", static_cast<int>(at.year()),
                  static_cast<unsigned>(at.month()));
    const auto first_day = [](const year_month& m) {
        return static_cast<std::int32_t>(sys_days(m / std::chrono::day(1)).time_since_epoch().count());
    };
    return {name, first_day(at), first_day(at + months(1))};
}

constexpr int months_ahead = 3;

class postgres_usage_store final : public usage_store {
public:
    explicit postgres_usage_store(postgres_database& database) : database_(database), apply_(apply_text()) {}

    base::result<std::size_t> apply(usage_batch records) override {
        if (records.empty()) {
            return 0;
        }
        make_months();  // without them it works as well, if slower
        auto applied = database_.run(apply_.c_str(), arrays_of(records));
        if (!applied) {
            return std::move(applied).error();
        }
        return static_cast<std::size_t>(applied->integer(0, 0));
    }

    base::result<usage_report> query(const usage_query& query) override {
        // Added up there: a month of a busy owner is thousands of rows, of which the page shows a few.
        std::string sql = std::string("SELECT ") + (query.interval == usage_interval::day ? "day" : "0") + ", model, " +
                          column_of(query.group);
        for (const sum_column& sum : sum_columns) {
            sql += ", least(" + std::to_string(largest_sum) + ", sum(" + sum.name + "))::bigint";
        }
        sql += " FROM usage_daily WHERE day BETWEEN $1 AND $2";
        postgres_values values;
        values.add(query.from_day).add(query.to_day);
        const auto only = [&](const char* column, const std::optional<std::string>& value) {
            if (value) {
                values.add(std::string_view(*value));
                sql += std::string(" AND ") + column + " = $" + std::to_string(values.all().size());
            }
        };
        only("owner", query.owner);
        only("key_id", query.key_id);
        only("provider", query.provider);
        sql += " GROUP BY 1, 2, 3";
        auto rows = database_.run(sql.c_str(), values);
        if (!rows) {
            return std::move(rows).error();
        }
        usage_report_builder report(query);
        for (int row = 0; row < rows->count(); ++row) {
            usage_sums sums;
            int column = 3;
            for (const sum_column& sum : sum_columns) {
                sums.*sum.member = rows->integer(row, column++);
            }
            report.add(static_cast<std::int32_t>(rows->integer(row, 0)), rows->text(row, 1), rows->text(row, 2), sums);
        }
        return report.finish();
    }

    base::result<std::optional<base::usage_record>> find(const std::optional<std::string>& owner,
                                                         const base::event_id& id) override {
        postgres_values values;
        values.add(std::string_view(crypto::to_text(id))).add(day_of(id));
        auto rows = database_.run(
            ("SELECT " + event_list() + " FROM usage_event WHERE event_id = $1 AND day = $2").c_str(), values);
        if (!rows) {
            return std::move(rows).error();
        }
        std::optional<base::usage_record> record;
        if (rows->count() != 0) {
            record = read_event(*rows, id);
        }
        if (record && owner && record->owner != std::string_view(*owner)) {
            record.reset();
        }
        return record;
    }

    base::result<bool> expire(std::int32_t day) override {
        if (day == expired_) {
            return false;
        }
        // Whole months only, and never for long in the way of others.
        auto tables = database_.run(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'usage_event'::regclass");
        if (!tables) {
            return std::move(tables).error();
        }
        const std::string first_kept = month_of(day, 0).table;
        for (int row = 0; row < tables->count(); ++row) {
            const std::string table(tables->text(row, 0));
            if (table.size() == first_kept.size() && table < first_kept) {
                if (auto dropped = alter("DROP TABLE " + table); !dropped) {
                    return std::move(dropped).error();
                }
            }
        }
        postgres_values before;
        before.add(day);
        if (auto rest = database_.run("DELETE FROM usage_event_rest WHERE day < $1", before); !rest) {
            return std::move(rest).error();
        }
        expired_ = day;
        return false;
    }

private:
    /// A change of the schema that gives up when others hold the table.
    base::result<void> alter(const std::string& sql) {
        auto transaction = postgres_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        if (auto done = database_.run_all(("SET LOCAL lock_timeout = '2s'; " + sql).c_str()); !done) {
            return done;
        }
        return transaction->commit();
    }

    void make_months() {
        const auto today = static_cast<std::int32_t>(
            std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()).time_since_epoch().count());
        if (today == months_made_) {
            return;
        }
        std::string sql;
        for (int later = 0; later <= months_ahead; ++later) {
            const month m = month_of(today, later);
            sql += "CREATE TABLE IF NOT EXISTS " + m.table + " PARTITION OF usage_event FOR VALUES FROM (" +
                   std::to_string(m.first) + ") TO (" + std::to_string(m.end) + ");";
        }
        // Under the lock of the migrations: replicas do it one after the other.
        if (alter("SELECT pg_advisory_xact_lock(1128613719);" + sql)) {
            months_made_ = today;
        }
    }

    postgres_database& database_;
    const std::string apply_;
    std::int32_t months_made_ = -1;
    std::int32_t expired_ = -1;
};

}  // namespace

std::unique_ptr<usage_store> make_postgres_usage_store(postgres_database& database) {
    return std::make_unique<postgres_usage_store>(database);
}

}  // namespace concurred::storage
