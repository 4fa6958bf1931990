#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/usage_record.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::storage {

class sqlite_database;

/// Sums over requests.
struct usage_sums {
    std::int64_t requests = 0;  ///< all admitted ones, however they ended
    std::int64_t failed = 0;    ///< those refused before a provider was asked
    std::int64_t errors = 0;    ///< those with a status of 400 or more, or not completed; includes `failed`
    std::int64_t prompt_tokens = 0;
    std::int64_t cache_read_tokens = 0;
    std::int64_t cache_write_tokens = 0;
    std::int64_t completion_tokens = 0;
    std::int64_t reasoning_tokens = 0;
    std::int64_t cost_nano_usd = 0;
    std::int64_t unpriced_requests = 0;   ///< their cost is not known and not in `cost_nano_usd`
    std::int64_t estimated_requests = 0;  ///< their tokens are our estimate

    [[nodiscard]] std::int64_t tokens() const noexcept {
        return prompt_tokens + cache_read_tokens + cache_write_tokens + completion_tokens + reasoning_tokens;
    }
    usage_sums& operator+=(const usage_sums& other) noexcept;
    friend bool operator==(const usage_sums&, const usage_sums&) = default;
};

/// The sums of one request.
[[nodiscard]] usage_sums sums_of(const base::usage_record& record) noexcept;

enum class usage_interval : std::uint8_t { none, day };
enum class usage_group : std::uint8_t { none, model, key, provider };

/// What to report. Days are UTC, counted from 1970-01-01, both ends included.
struct usage_query {
    std::optional<std::string> owner{};     ///< nullopt: all owners, for the operator's command
    std::optional<std::string> key_id{};    ///< nullopt: all keys of the owner
    std::optional<std::string> provider{};  ///< nullopt: all providers
    std::int32_t from_day = 0;
    std::int32_t to_day = 0;
    usage_interval interval = usage_interval::none;
    usage_group group = usage_group::none;
};

/// Sums under the name of a model, a key or a provider; `usage_unknown_name` where the request named none that we know.
struct usage_entry {
    std::string name;
    usage_sums sums;
};

inline constexpr std::string_view usage_unknown_name = "unknown";

/// One point of a series. `day` is set with an interval, `name` with a group.
struct usage_point {
    std::optional<std::int32_t> day{};
    std::string name{};
    usage_sums sums{};
};

/// Answer to a usage_query. The totals equal the sum over `by_model` and, if asked for, the sum over `series`.
struct usage_report {
    usage_interval interval = usage_interval::none;
    usage_group group = usage_group::none;
    usage_sums totals;
    std::vector<usage_entry> by_model;  ///< sorted by name
    std::vector<usage_point> series;    ///< sorted by day, then name; days without requests are left out
};

/// Records to be applied together.
using usage_batch = std::span<const base::usage_record* const>;

/// One record for each request, kept for a while, and daily sums by owner, key, model, provider and "own provider key
/// or the platform's", kept for good. Calls block: only the database thread and the commands make them.
class usage_store {
public:
    virtual ~usage_store() = default;

    /// Adds records and their sums in one transaction. A record counts once by its id, however often, in whatever order
    /// and in whatever company it is applied; the first one of an id stands.
    /// @returns how many records were new; after an error none was added. `conflict`: the database takes one of the
    /// records in no case, whatever the weather
    [[nodiscard]] virtual base::result<std::size_t> apply(usage_batch records) = 0;

    /// The same for records that lie side by side.
    [[nodiscard]] base::result<std::size_t> apply(std::span<const base::usage_record> records);

    /// Reads one consistent state.
    [[nodiscard]] virtual base::result<usage_report> query(const usage_query& query) = 0;

    /// One request.
    /// @param owner nullopt: anybody's, for the operator's command
    /// @returns nullopt for an unknown or foreign one, and for one whose record is not kept any more
    [[nodiscard]] virtual base::result<std::optional<base::usage_record>> find(const std::optional<std::string>& owner,
                                                                               const base::event_id& id) = 0;

    /// Removes single records, not sums, of days before `day`: some of them, in time that is short enough for others to
    /// wait.
    /// @returns whether there may be more
    [[nodiscard]] virtual base::result<bool> expire(std::int32_t day) = 0;
};

/// @param database migrated; outlives the store
[[nodiscard]] base::result<std::unique_ptr<usage_store>> make_sqlite_usage_store(sqlite_database& database);

}  // namespace concurred::storage
