#include "storage/key_changes.hpp"

#include "storage/sqlite.hpp"

#include <cstdint>
#include <iterator>
#include <utility>

namespace concurred::storage {

namespace {

constexpr std::uint32_t page = 1'000;

class sqlite_key_changes final : public key_changes {
public:
    explicit sqlite_key_changes(api_key_store& store) noexcept : store_(store) {}

    base::result<void> start(sqlite_database& database) {
        auto prepared = database.prepare("PRAGMA data_version");
        if (!prepared) {
            return std::move(prepared).error();
        }
        statement_ = std::move(*prepared);
        auto version = data_version();
        if (!version) {
            return std::move(version).error();
        }
        auto cursor = store_.last_change();
        if (!cursor) {
            return std::move(cursor).error();
        }
        version_ = *version;
        cursor_ = *cursor;
        return {};
    }

    base::result<std::vector<api_key_row>> poll() override {
        // Read before the rows: a change between the two is then seen by the next poll.
        auto version = data_version();
        if (!version) {
            return std::move(version).error();
        }
        if (*version == version_) {
            return std::vector<api_key_row>();
        }
        auto changed = read_changes(store_, cursor_);
        if (changed) {
            version_ = *version;
        }
        return changed;
    }

private:
    /// Differs from the last value if another connection has committed a change of the file since
    /// (https://www.sqlite.org/pragma.html#pragma_data_version).
    base::result<std::int64_t> data_version() {
        sqlite_query query(statement_);
        if (auto row = query.next(); !row) {
            return std::move(row).error();
        }
        return query.integer(0);
    }

    api_key_store& store_;
    sqlite_statement statement_;
    std::int64_t version_ = 0;
    std::uint64_t cursor_ = 0;
};

}  // namespace

base::result<std::vector<api_key_row>> read_changes(api_key_store& store, std::uint64_t& cursor) {
    std::vector<api_key_row> rows;
    std::uint64_t at = cursor;
    for (bool more = true; more;) {
        auto changed = store.changed_since(at, page);
        if (!changed) {
            return std::move(changed).error();
        }
        more = changed->size() == page;
        at = changed->empty() ? at : changed->back().change_number;
        rows.insert(rows.end(), std::move_iterator(changed->begin()), std::move_iterator(changed->end()));
    }
    cursor = at;
    return rows;
}

base::result<std::unique_ptr<key_changes>> make_sqlite_key_changes(sqlite_database& database, api_key_store& store) {
    auto changes = std::make_unique<sqlite_key_changes>(store);
    if (auto started = changes->start(database); !started) {
        return std::move(started).error();
    }
    return std::unique_ptr<key_changes>(std::move(changes));
}

}  // namespace concurred::storage
