#include "crypto/random.hpp"
#include "storage/sqlite.hpp"
#include "storage/usage_columns.hpp"
#include "storage/usage_report_builder.hpp"
#include "storage/usage_store.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace concurred::storage {

namespace {

std::string upsert_text() {
    std::string columns = "owner, day, key_id, model, provider, byok";
    std::string values = "?,?,?,?,?,?";
    std::string sums;
    for (const sum_column& column : sum_columns) {
        const std::string name = column.name;
        columns += ", " + name;
        values += ",?";
        sums += (sums.empty() ? "" : ", ") + name + " = min(" + std::to_string(largest_sum) + ", " + name +
                " + excluded." + name + ")";
    }
    return "INSERT INTO usage_daily (" + columns + ") VALUES (" + values +
           ") ON CONFLICT (owner, day, key_id, model, provider, byok) DO UPDATE SET " + sums;
}

std::string event_column_list() {
    std::string text;
    for (const char* name : event_columns) {
        text += (text.empty() ? "" : ", ") + std::string(name);
    }
    return text;
}

std::string insert_event_text() {
    std::string values = "?";
    for (std::size_t i = 1; i < event_columns.size(); ++i) {
        values += ",?";
    }
    return "INSERT INTO usage_event (" + event_column_list() + ") VALUES (" + values +
           ") ON CONFLICT (event_id) DO NOTHING";
}

/// Counts that no request has stay storable.
std::int64_t bounded(std::uint64_t value) noexcept {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value, largest_sum));
}

void bind_event(sqlite_query& query, const base::usage_record& r) {
    query.bind(r.id).bind(r.day).bind(r.admitted_ms).bind(r.status).bind(static_cast<int>(r.end));
    query.bind(r.byok).bind(r.stream).bind(r.estimated).bind(r.priced).bind(r.price_version);
    query.bind(bounded(r.tokens.prompt)).bind(bounded(r.tokens.cache_read)).bind(bounded(r.tokens.cache_write));
    query.bind(bounded(r.tokens.completion)).bind(bounded(r.tokens.reasoning)).bind(bounded(r.reserved_tokens));
    query.bind(r.cost_nano_usd).bind(r.latency_ms).bind(r.first_token_ms).bind(r.owner.view()).bind(r.key_id.view());
    query.bind(r.endpoint.view()).bind(r.provider.view()).bind(r.model_requested.view()).bind(r.model.view());
    query.bind(r.upstream_request_id.view());
}

base::usage_record read_event(const sqlite_query& row, const base::event_id& id) {
    int column = 1;
    const auto number = [&] { return row.integer(column++); };
    const auto count = [&] { return static_cast<std::uint64_t>(row.integer(column++)); };
    base::usage_record r;
    r.id = id;
    r.day = static_cast<std::int32_t>(number());
    r.admitted_ms = number();
    r.status = static_cast<std::uint16_t>(number());
    r.end = static_cast<base::end_reason>(number());
    r.byok = number() != 0;
    r.stream = number() != 0;
    r.estimated = number() != 0;
    r.priced = number() != 0;
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
    r.owner = row.text(column++);
    r.key_id = row.text(column++);
    r.endpoint = row.text(column++);
    r.provider = row.text(column++);
    r.model_requested = row.text(column++);
    r.model = row.text(column++);
    r.upstream_request_id = row.text(column++);
    r.request_id = crypto::to_text(id);
    return r;
}

// Rows removed at once by `expire`: some ten milliseconds.
constexpr std::int64_t expired_at_once = 5'000;
constexpr std::int64_t day_ms = 86'400'000;

/// Ids are ordered by time: the first of a day, by the 48 bits of milliseconds they begin with.
base::event_id first_id_of(std::int32_t day) noexcept {
    base::event_id id{};
    const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(day * day_ms, 0));
    for (std::size_t i = 0; i < 6; ++i) {
        id[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
    }
    return id;
}

std::string select_text(const usage_query& query) {
    std::string text = std::string("SELECT day, model, ") + column_of(query.group);
    for (const sum_column& sum : sum_columns) {
        text += std::string(", ") + sum.name;
    }
    text += " FROM usage_daily WHERE day BETWEEN ?1 AND ?2";
    int parameter = 2;
    if (query.owner) {
        text += " AND owner = ?" + std::to_string(++parameter);
    }
    if (query.key_id) {
        text += " AND key_id = ?" + std::to_string(++parameter);
    }
    if (query.provider) {
        text += " AND provider = ?" + std::to_string(++parameter);
    }
    return text;
}

class sqlite_usage_store final : public usage_store {
public:
    explicit sqlite_usage_store(sqlite_database& database) noexcept : database_(database) {}

    base::result<void> prepare() {
        const std::array<std::pair<sqlite_statement*, std::string>, 4> texts{{
            {&upsert_, upsert_text()},
            {&insert_event_, insert_event_text()},
            {&find_event_, "SELECT " + event_column_list() + " FROM usage_event WHERE event_id = ?1"},
            {&expire_,
             "DELETE FROM usage_event WHERE event_id IN (SELECT event_id FROM usage_event WHERE event_id < ?1 ORDER BY "
             "event_id LIMIT ?2)"},
        }};
        for (const auto& [statement, text] : texts) {
            auto prepared = database_.prepare(text);
            if (!prepared) {
                return std::move(prepared).error();
            }
            *statement = std::move(*prepared);
        }
        return {};
    }

    base::result<std::size_t> apply(usage_batch records) override {
        auto transaction = sqlite_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        fresh_.clear();
        for (const base::usage_record* record : records) {
            sqlite_query insert(insert_event_);
            bind_event(insert, *record);
            if (auto done = insert.run(); !done) {
                return std::move(done).error();
            }
            if (database_.changes() != 0) {
                fresh_.push_back(record);
            }
        }
        if (auto written = write_rollups(); !written) {
            return std::move(written).error();
        }
        if (auto committed = transaction->commit(); !committed) {
            return std::move(committed).error();
        }
        return fresh_.size();
    }

    base::result<std::optional<base::usage_record>> find(const std::optional<std::string>& owner,
                                                         const base::event_id& id) override {
        sqlite_query query(find_event_);
        query.bind(id);
        auto found = query.next();
        if (!found) {
            return std::move(found).error();
        }
        std::optional<base::usage_record> record;
        if (*found) {
            record = read_event(query, id);
        }
        if (record && owner && record->owner != std::string_view(*owner)) {
            record.reset();
        }
        return record;
    }

    base::result<bool> expire(std::int32_t day) override {
        const base::event_id before = first_id_of(day);
        sqlite_query query(expire_);
        query.bind(before).bind(expired_at_once);
        if (auto done = query.run(); !done) {
            return std::move(done).error();
        }
        return database_.changes() == expired_at_once;
    }

    base::result<usage_report> query(const usage_query& query) override {
        auto statement = database_.prepare(select_text(query));
        if (!statement) {
            return std::move(statement).error();
        }
        sqlite_query rows(*statement);
        rows.bind(query.from_day).bind(query.to_day);
        if (query.owner) {
            rows.bind(std::string_view(*query.owner));
        }
        if (query.key_id) {
            rows.bind(std::string_view(*query.key_id));
        }
        if (query.provider) {
            rows.bind(std::string_view(*query.provider));
        }
        usage_report_builder report(query);
        while (true) {
            auto found = rows.next();
            if (!found) {
                return std::move(found).error();
            }
            if (!*found) {
                return report.finish();
            }
            usage_sums sums;
            int column = 3;
            for (const sum_column& sum : sum_columns) {
                sums.*sum.member = rows.integer(column++);
            }
            report.add(static_cast<std::int32_t>(rows.integer(0)), rows.text(1), rows.text(2), sums);
        }
    }

private:
    base::result<void> write_rollups() {
        std::sort(fresh_.begin(), fresh_.end(),
                  [](const auto* a, const auto* b) { return rollup_key(*a) < rollup_key(*b); });
        for (auto from = fresh_.begin(); from != fresh_.end();) {
            const base::usage_record& key = **from;
            usage_sums sums;
            do {
                sums += sums_of(**from);
                ++from;
            } while (from != fresh_.end() && rollup_key(**from) == rollup_key(key));
            if (auto added = add(key, sums); !added) {
                return added;
            }
        }
        return {};
    }

    base::result<void> add(const base::usage_record& key, const usage_sums& sums) {
        sqlite_query query(upsert_);
        query.bind(key.owner.view()).bind(key.day).bind(key.key_id.view()).bind(key.model.view());
        query.bind(key.provider.view()).bind(key.byok);
        for (const sum_column& column : sum_columns) {
            query.bind(sums.*column.member);
        }
        return query.run();
    }

    sqlite_database& database_;
    sqlite_statement upsert_;
    sqlite_statement insert_event_;
    sqlite_statement find_event_;
    sqlite_statement expire_;
    std::vector<const base::usage_record*> fresh_;  // records of the running apply; kept for its memory
};

}  // namespace

base::result<std::unique_ptr<usage_store>> make_sqlite_usage_store(sqlite_database& database) {
    auto store = std::make_unique<sqlite_usage_store>(database);
    if (auto prepared = store->prepare(); !prepared) {
        return std::move(prepared).error();
    }
    return std::unique_ptr<usage_store>(std::move(store));
}

}  // namespace concurred::storage
