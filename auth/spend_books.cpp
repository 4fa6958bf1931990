#include "auth/spend_books.hpp"

#include <chrono>
#include <utility>

namespace concurred::auth {

base::result<spent_so_far> read_spent(storage::usage_store& store, const std::string& key_id, base::wall_time now) {
    using namespace std::chrono;
    const auto today = floor<days>(now);
    const year_month_day date(today);
    const auto first = sys_days(date.year() / date.month() / day(1));
    storage::usage_query query;
    query.key_id = key_id;
    query.from_day = static_cast<std::int32_t>(first.time_since_epoch().count());
    query.to_day = static_cast<std::int32_t>(today.time_since_epoch().count());
    query.interval = storage::usage_interval::day;
    auto report = store.query(query);
    if (!report) {
        return std::move(report).error();
    }
    spent_so_far spent;
    spent.month_nano_usd = report->totals.cost_nano_usd;
    for (const storage::usage_point& point : report->series) {
        spent.day_nano_usd += point.day == query.to_day ? point.sums.cost_nano_usd : 0;
    }
    return spent;
}

}  // namespace concurred::auth
