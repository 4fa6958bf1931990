#pragma once

#include "storage/provider_key_store.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace concurred::storage {

/// What a change of provider keys consists of, whatever database it is made in: the steps, and what is one
/// transaction. A store gives the single statements.
template <class Database, class Transaction>
class provider_key_steps : public provider_key_store {
public:
    base::result<provider_key_outcome> insert(const provider_key_row& row, std::uint32_t max_keys) final {
        auto outcome = provider_key_outcome::inserted;
        auto done = change([&](std::int64_t number) -> base::result<bool> {
            auto taken = has_slug(row.owner_id, row.slug);
            if (!taken) {
                return std::move(taken).error();
            }
            auto present = count(row.owner_id);
            if (!present) {
                return std::move(present).error();
            }
            if (*taken) {
                outcome = provider_key_outcome::slug_taken;
            } else if (*present >= std::int64_t{max_keys}) {
                outcome = provider_key_outcome::owner_full;
            } else if (auto added = add(row, number); !added) {
                return std::move(added).error();
            }
            return outcome == provider_key_outcome::inserted;
        });
        return done ? base::result<provider_key_outcome>(outcome) : std::move(done).error();
    }

    base::result<std::optional<provider_key_row>> remove(owner_scope scope, std::string_view id,
                                                         std::int64_t now_ms) final {
        base::result<std::optional<provider_key_row>> found = std::optional<provider_key_row>();
        auto done = change([&](std::int64_t number) -> base::result<bool> {
            found = this->find(scope, id);
            if (!found) {
                return found.error();
            }
            return *found ? write(**found, {}, {}, now_ms, number) : base::result<bool>(false);
        });
        if (!done) {
            return std::move(done).error();
        }
        return found;
    }

    base::result<bool> reseal(const provider_key_row& seen, std::string_view sealed,
                              std::string_view sealed_with) final {
        return change([&](std::int64_t number) { return write(seen, sealed, sealed_with, std::nullopt, number); });
    }

protected:
    explicit provider_key_steps(Database& database) noexcept : database_(database) {}

    [[nodiscard]] Database& database() noexcept { return database_; }

private:
    // All of these are called within a transaction.

    virtual base::result<std::int64_t> next_change() = 0;
    virtual base::result<bool> has_slug(std::string_view owner, std::string_view slug) = 0;
    virtual base::result<std::int64_t> count(std::string_view owner) = 0;
    virtual base::result<void> add(const provider_key_row& row, std::int64_t number) = 0;
    /// Writes, unless the row has another change number than `seen`.
    /// @returns whether it was written
    virtual base::result<bool> write(const provider_key_row& seen, std::string_view sealed,
                                     std::string_view sealed_with, std::optional<std::int64_t> deleted_ms,
                                     std::int64_t number) = 0;

    /// Does `work(number)` with a new change number, and keeps what it has done if that returns true. The number comes
    /// first: others who change something wait for it, and then see what is committed.
    template <class Work>
    base::result<bool> change(Work work) {
        auto transaction = Transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        auto number = next_change();
        if (!number) {
            return std::move(number).error();
        }
        base::result<bool> done = work(*number);
        if (!done || !*done) {
            return done;
        }
        if (auto committed = transaction->commit(); !committed) {
            return std::move(committed).error();
        }
        return done;
    }

    Database& database_;
};

}  // namespace concurred::storage
