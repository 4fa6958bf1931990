#include "storage/sqlite.hpp"
#include "storage/usage_report_builder.hpp"
#include "storage/usage_store.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace concurred::storage {

namespace {

struct sum_column {
    const char* name;
    std::int64_t usage_sums::*member;
};

constexpr std::array<sum_column, 11> sum_columns{{
    {"requests", &usage_sums::requests},
    {"failed", &usage_sums::failed},
    {"errors", &usage_sums::errors},
    {"prompt_tokens", &usage_sums::prompt_tokens},
    {"cache_read_tokens", &usage_sums::cache_read_tokens},
    {"cache_write_tokens", &usage_sums::cache_write_tokens},
    {"completion_tokens", &usage_sums::completion_tokens},
    {"reasoning_tokens", &usage_sums::reasoning_tokens},
    {"cost_nano_usd", &usage_sums::cost_nano_usd},
    {"unpriced_requests", &usage_sums::unpriced_requests},
    {"estimated_requests", &usage_sums::estimated_requests},
}};

// A process that starts anew uses a new source; after this long nobody can still hold records of an old one.
constexpr std::int64_t source_kept_days = 400;

std::string upsert_text() {
    std::string columns = "owner, day, key_id, model, provider, byok";
    std::string values = "?,?,?,?,?,?";
    std::string sums;
    for (const sum_column& column : sum_columns) {
        const std::string name = column.name;
        columns += ", " + name;
        values += ",?";
        // Bounded: an overflowing sum would become a REAL, be refused by the table and block every later batch.
        sums += (sums.empty() ? "" : ", ") + name + " = min(4611686018427387904, " + name + " + excluded." + name + ")";
    }
    return "INSERT INTO usage_daily (" + columns + ") VALUES (" + values +
           ") ON CONFLICT (owner, day, key_id, model, provider, byok) DO UPDATE SET " + sums;
}

auto rollup_key(const base::usage_record& r) noexcept {
    return std::tuple(r.owner.view(), r.day, r.key_id.view(), r.model.view(), r.provider.view(), r.byok);
}

bool numbered(const usage_chunk& chunk) noexcept {
    return chunk.source != usage_source_id{};
}

const char* column_of(usage_group group) noexcept {
    switch (group) {
        case usage_group::model:
            return "model";
        case usage_group::key:
            return "key_id";
        case usage_group::provider:
            return "provider";
        case usage_group::none:
            break;
    }
    return "''";
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
    return text;
}

class sqlite_usage_store final : public usage_store {
public:
    explicit sqlite_usage_store(sqlite_database& database) noexcept : database_(database) {}

    base::result<void> prepare() {
        const std::array<std::pair<sqlite_statement*, std::string>, 4> texts{{
            {&upsert_, upsert_text()},
            {&read_source_, "SELECT applied FROM usage_source WHERE source = ?1"},
            {&write_source_,
             "INSERT INTO usage_source VALUES (?1, ?2, ?3) ON CONFLICT (source) DO UPDATE SET applied = ?2, last_day = "
             "?3"},
            {&forget_sources_, "DELETE FROM usage_source WHERE last_day < ?1"},
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

    base::result<std::size_t> apply(std::span<const usage_chunk> chunks) override {
        auto transaction = sqlite_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        fresh_.clear();
        for (const usage_chunk& chunk : chunks) {
            if (auto taken = take(chunk); !taken) {
                return std::move(taken).error();
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
    /// Adds what is new of `chunk` to fresh_ and notes how far its source is applied.
    base::result<void> take(const usage_chunk& chunk) {
        std::size_t known = 0;
        if (numbered(chunk)) {
            sqlite_query query(read_source_);
            query.bind(chunk.source);
            auto found = query.next();
            if (!found) {
                return std::move(found).error();
            }
            const std::uint64_t applied = *found ? static_cast<std::uint64_t>(query.integer(0)) : 0;
            if (applied >= chunk.first) {
                known =
                    static_cast<std::size_t>(std::min<std::uint64_t>(applied - chunk.first + 1, chunk.records.size()));
            }
            if (!*found && !chunk.records.empty()) {
                sqlite_query forget(forget_sources_);
                forget.bind(chunk.records.front().day - source_kept_days);
                if (auto done = forget.run(); !done) {
                    return done;
                }
            }
        }
        const auto records = chunk.records.subspan(known);
        if (records.empty()) {
            return {};
        }
        for (const base::usage_record& record : records) {
            fresh_.push_back(&record);
        }
        if (!numbered(chunk)) {
            return {};
        }
        sqlite_query query(write_source_);
        query.bind(chunk.source).bind(chunk.first + chunk.records.size() - 1).bind(records.back().day);
        return query.run();
    }

    base::result<void> write_rollups() {
        // In the order of the primary key: neighbours share pages, and stores with row locks cannot deadlock.
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
    sqlite_statement read_source_;
    sqlite_statement write_source_;
    sqlite_statement forget_sources_;
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
