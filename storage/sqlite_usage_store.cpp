#include "storage/sqlite.hpp"
#include "storage/usage_batch_table.hpp"
#include "storage/usage_codec.hpp"
#include "storage/usage_columns.hpp"
#include "storage/usage_report_builder.hpp"
#include "storage/usage_rollup.hpp"
#include "storage/usage_slot.hpp"
#include "storage/usage_store.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

// Rows removed at once by `expire`: some ten milliseconds.
constexpr std::int64_t expired_at_once = 5'000;
constexpr std::int64_t day_ms = 86'400'000;

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
        auto table = usage_batch_table::install(database_);
        if (!table) {
            return std::move(table).error();
        }
        batch_ = *table;
        const std::array<std::pair<sqlite_statement*, std::string>, 5> texts{{
            {&upsert_, upsert_text()},
            {&insert_all_,
             "INSERT INTO usage_event (slot, record) SELECT slot, record FROM usage_batch WHERE true "
             "ON CONFLICT (slot) DO NOTHING"},
            {&insert_, "INSERT INTO usage_event (slot, record) VALUES (?1, ?2) ON CONFLICT (slot) DO NOTHING"},
            {&look_, "SELECT record FROM usage_event WHERE slot = ?1"},
            {&expire_,
             "DELETE FROM usage_event WHERE slot IN (SELECT slot FROM usage_event WHERE slot < ?1 ORDER BY slot LIMIT "
             "?2)"},
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
        pack(records);
        rollup_.clear();
        auto applied = apply_all(records);
        if (applied && *applied == 0 && !records.empty()) {
            rollup_.clear();
            applied = apply_singly();
        }
        return applied;
    }

    base::result<std::optional<base::usage_record>> find(const std::optional<std::string>& owner,
                                                         const base::event_id& id) override {
        base::usage_record record;
        for (std::int64_t slot = usage_slot(id);; ++slot) {
            sqlite_query query(look_);
            query.bind(slot);
            auto found = query.next();
            if (!found) {
                return std::move(found).error();
            }
            if (!*found) {
                return std::optional<base::usage_record>();
            }
            if (packed_id(query.bytes(0)) != id) {
                continue;
            }
            if (!unpack_usage(query.bytes(0), record)) {
                return base::gateway_error(base::errc::internal, "a usage record in the database is damaged");
            }
            const bool foreign = owner && record.owner != std::string_view(*owner);
            return foreign ? std::nullopt : std::optional(record);
        }
    }

    base::result<bool> expire(std::int32_t day) override {
        sqlite_query query(expire_);
        query.bind(first_usage_slot(day * day_ms)).bind(expired_at_once);
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
    struct packed_record {
        std::int64_t slot;
        std::span<const std::uint8_t> octets;
        const base::usage_record* record;
    };

    void pack(usage_batch records) {
        octets_.resize(std::max(octets_.size(), records.size() * max_packed_usage));
        packed_.clear();
        std::span<std::uint8_t> left(octets_);
        for (const base::usage_record* record : records) {
            const std::size_t size = pack_usage(left, *record);
            packed_.push_back({usage_slot(record->id), left.first(size), record});
            left = left.subspan(size);
        }
        // The order of the table: it grows at its end.
        std::sort(packed_.begin(), packed_.end(),
                  [](const packed_record& a, const packed_record& b) { return a.slot < b.slot; });
    }

    /// The common case: nothing of the batch is there, and no two records want the same place.
    /// @returns 0, and nothing is changed, where that is not so
    base::result<std::size_t> apply_all(usage_batch records) {
        batch_->rows.clear();
        for (const packed_record& one : packed_) {
            batch_->rows.push_back({one.slot, one.octets});
        }
        auto transaction = sqlite_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        if (auto inserted = sqlite_query(insert_all_).run(); !inserted) {
            return std::move(inserted).error();
        }
        if (database_.changes() != static_cast<std::int64_t>(records.size())) {
            return 0;
        }
        for (const base::usage_record* record : records) {
            rollup_.add(*record);
        }
        return finish(*transaction, records.size());
    }

    base::result<std::size_t> apply_singly() {
        auto transaction = sqlite_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        std::size_t fresh = 0;
        for (const packed_record& one : packed_) {
            auto is_new = insert(one);
            if (!is_new) {
                return std::move(is_new).error();
            }
            if (*is_new) {
                rollup_.add(*one.record);
                ++fresh;
            }
        }
        return finish(*transaction, fresh);
    }

    /// In its place, or in the next one that is free: ids are told apart by what lies there. Rows go only with all that
    /// are older, so that no gap comes between.
    /// @returns false where the record is there already
    base::result<bool> insert(const packed_record& one) {
        for (std::int64_t slot = one.slot;; ++slot) {
            {
                sqlite_query query(insert_);
                if (auto done = query.bind(slot).bind(one.octets).run(); !done) {
                    return std::move(done).error();
                }
            }
            if (database_.changes() != 0) {
                return true;
            }
            sqlite_query query(look_);
            auto found = query.bind(slot).next();
            if (!found) {
                return std::move(found).error();
            }
            if (*found && packed_id(query.bytes(0)) == one.record->id) {
                return false;
            }
        }
    }

    base::result<std::size_t> finish(sqlite_transaction& transaction, std::size_t fresh) {
        for (const auto& [key, sums] : rollup_.sorted()) {
            if (auto added = add(*key, sums); !added) {
                return std::move(added).error();
            }
        }
        if (auto committed = transaction.commit(); !committed) {
            return std::move(committed).error();
        }
        return fresh;
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
    usage_batch_table* batch_ = nullptr;  // the database's
    sqlite_statement upsert_;
    sqlite_statement insert_all_;
    sqlite_statement insert_;
    sqlite_statement look_;
    sqlite_statement expire_;
    // Of the running apply; kept for their memory.
    std::vector<std::uint8_t> octets_;
    std::vector<packed_record> packed_;
    usage_rollup rollup_;
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
