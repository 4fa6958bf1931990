#pragma once

#include "storage/api_key_store.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace concurred::storage {

/// What a change of API keys consists of, whatever database it is made in: the steps, and what is one transaction. A
/// store gives the single statements.
template <class Database, class Transaction>
class api_key_steps : public api_key_store {
public:
    base::result<insert_outcome> insert(const api_key_row& row, std::uint32_t max_keys) final {
        auto transaction = Transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        auto outcome = add(row, max_keys);
        if (!outcome || *outcome != insert_outcome::inserted) {
            return outcome;
        }
        if (auto committed = transaction->commit(); !committed) {
            return std::move(committed).error();
        }
        return outcome;
    }

    base::result<rotation> rotate(owner_scope scope, std::string_view id, const api_key_row& made,
                                  std::int64_t grace_ms, std::uint32_t max_keys, std::int64_t now_ms) final {
        auto transaction = Transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        auto found = find_to_change(scope, id);
        if (!found) {
            return std::move(found).error();
        }
        if (!*found) {
            return rotation{};
        }
        rotation done{.old = **found, .made = **found};
        done.made.id = made.id;
        done.made.hash = made.hash;
        done.made.start = made.start;
        done.made.created_ms = done.made.updated_ms = now_ms;
        done.made.last_used_ms.reset();
        if (grace_ms == 0) {
            done.old->deleted_ms = now_ms;
        } else {
            const std::int64_t until = now_ms + grace_ms;
            done.old->expires_ms = std::min(done.old->expires_ms.value_or(until), until);
        }
        if (auto saved = save(*done.old, now_ms); !saved) {
            return std::move(saved).error();
        }
        auto outcome = add(done.made, max_keys);
        if (!outcome) {
            return std::move(outcome).error();
        }
        done.outcome = *outcome;
        if (done.outcome != insert_outcome::inserted) {
            return done;
        }
        if (auto committed = transaction->commit(); !committed) {
            return std::move(committed).error();
        }
        return done;
    }

    base::result<std::optional<api_key_row>> find_by_hash(std::string_view hash) final {
        auto found = at_hash_or_next(hash);
        if (found && *found && ((*found)->hash != hash || (*found)->deleted_ms)) {
            found->reset();
        }
        return found;
    }

    base::result<std::optional<api_key_row>> update(owner_scope scope, std::string_view id, const api_key_patch& patch,
                                                    std::int64_t now_ms) final {
        return change(scope, id, now_ms, [&patch](api_key_row& row) { return patch.apply_to(row); });
    }

    base::result<std::optional<api_key_row>> revoke(owner_scope scope, std::string_view id, std::int64_t now_ms) final {
        return change(scope, id, now_ms, [now_ms](api_key_row& row) {
            row.deleted_ms = now_ms;
            return true;
        });
    }

protected:
    explicit api_key_steps(Database& database) noexcept : database_(database) {}

    [[nodiscard]] Database& database() noexcept { return database_; }

private:
    /// The key of that hash, deleted or not, or else the one with the next hash: a row is read in any case, so that the
    /// time does not tell whether there is such a key.
    virtual base::result<std::optional<api_key_row>> at_hash_or_next(std::string_view hash) = 0;

    // All of these are called within a transaction.

    /// Nobody else changes the row until the end of the transaction.
    virtual base::result<std::optional<api_key_row>> find_to_change(owner_scope scope, std::string_view id) = 0;
    /// Stores a new key under a new change number.
    virtual base::result<insert_outcome> add(const api_key_row& row, std::uint32_t max_keys) = 0;
    /// Stores what a patch or an end may change.
    virtual base::result<void> write(const api_key_row& row) = 0;
    virtual base::result<std::int64_t> next_change() = 0;

    /// Saves a changed key under a new change number.
    base::result<void> save(api_key_row& row, std::int64_t now_ms) {
        auto number = next_change();
        if (!number) {
            return std::move(number).error();
        }
        row.updated_ms = now_ms;
        row.change_number = static_cast<std::uint64_t>(*number);
        return write(row);
    }

    /// Reads a key, lets `modify` change it and, if that returns true, saves it.
    template <class Modify>
    base::result<std::optional<api_key_row>> change(owner_scope scope, std::string_view id, std::int64_t now_ms,
                                                    Modify modify) {
        auto transaction = Transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        auto found = find_to_change(scope, id);
        if (!found || !*found || !modify(**found)) {
            return found;
        }
        if (auto saved = save(**found, now_ms); !saved) {
            return std::move(saved).error();
        }
        if (auto committed = transaction->commit(); !committed) {
            return std::move(committed).error();
        }
        return found;
    }

    Database& database_;
};

}  // namespace concurred::storage
