#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/executor.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace concurred::auth {

/// The store in which replicas keep what they know about keys: places with records, key ids with the places of their
/// keys, marks of keys that were changed, and one number that grows with every change. Texts are opaque here; they are
/// made by `key_record_codec`. Every call is one round trip and fails fast: errors mean that the store is not there,
/// and then nothing is known. Arguments are taken by value. Belongs to one shard.
class shared_key_cache {
public:
    shared_key_cache() = default;
    shared_key_cache(const shared_key_cache&) = delete;
    shared_key_cache& operator=(const shared_key_cache&) = delete;
    virtual ~shared_key_cache() = default;

    template <class T>
    using task = base::task<base::result<T>>;
    using milliseconds = std::chrono::milliseconds;
    using text = std::optional<std::string>;

    struct found {
        std::uint64_t epoch = 0;  ///< number of the last change, read with the record
        text record{};
    };
    [[nodiscard]] virtual task<found> get(std::string place) = 0;

    /// Notes where the key's record will stand, and only then looks for a mark of the key. Whoever changes the key does
    /// the two in the other order: one of both sees the other.
    /// @return the mark, if there is one
    [[nodiscard]] virtual task<text> claim(std::string key_id, std::string place, milliseconds ttl) = 0;

    /// Puts a record, unless the one that is there has a number above `epoch`: then the key was changed after `get`.
    /// @return whether it was put
    [[nodiscard]] virtual task<bool> fill(std::string place, std::string record, std::uint64_t epoch,
                                          milliseconds ttl) = 0;

    /// The number of a new change.
    [[nodiscard]] virtual task<std::uint64_t> next_epoch() = 0;
    /// Marks a key as changed. @return the place of its record, if one was ever noted
    [[nodiscard]] virtual task<text> mark(std::string key_id, std::string record, milliseconds ttl) = 0;
    /// Puts a record over whatever is there.
    [[nodiscard]] virtual task<bool> put(std::string place, std::string record, milliseconds ttl) = 0;
    /// Removes what is known about a place.
    [[nodiscard]] virtual task<bool> remove(std::string place) = 0;
};

}  // namespace concurred::auth
