#include "storage/usage_report_builder.hpp"

#include <optional>

namespace concurred::storage {

namespace {

std::string_view known(std::string_view name) noexcept {
    return name.empty() ? usage_unknown_name : name;
}

}  // namespace

usage_report_builder::usage_report_builder(const usage_query& query)
    : by_day_(query.interval == usage_interval::day), by_name_(query.group != usage_group::none) {
    report_.interval = query.interval;
    report_.group = query.group;
}

void usage_report_builder::add(std::int32_t day, std::string_view model, std::string_view name,
                               const usage_sums& sums) {
    report_.totals += sums;
    slot(models_, point_view{0, known(model)}) += sums;
    if (by_day_ || by_name_) {
        slot(series_, point_view{by_day_ ? day : 0, by_name_ ? known(name) : std::string_view()}) += sums;
    }
}

usage_report usage_report_builder::finish() {
    for (const auto& [key, sums] : models_) {
        report_.by_model.push_back({key.second, sums});
    }
    for (const auto& [key, sums] : series_) {
        report_.series.push_back({by_day_ ? std::optional(key.first) : std::nullopt, key.second, sums});
    }
    return std::move(report_);
}

usage_sums& usage_report_builder::slot(points& all, const point_view& key) {
    auto found = all.find(key);
    if (found == all.end()) {
        found = all.emplace(point_key(key.first, key.second), usage_sums()).first;
    }
    return found->second;
}

}  // namespace concurred::storage
