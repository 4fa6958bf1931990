#include "bench/scenario.hpp"

#include "gateway/base/config_text.hpp"
#include "gateway/base/near_match.hpp"

#include <cmath>

namespace concurred::bench {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t largest_file = 1u << 20;

milliseconds scaled(milliseconds time, double factor) noexcept {
    return milliseconds{std::llround(static_cast<double>(time.count()) * factor)};
}

}  // namespace

milliseconds scenario::length() const noexcept {
    std::chrono::nanoseconds sum{0};
    for (const load_stage& stage : stages) {
        sum += stage.length;
    }
    return std::chrono::duration_cast<milliseconds>(sum);
}

std::variant<scenario, std::vector<std::string>> find_scenario(const std::string& name_or_file) {
    std::vector<std::string_view> names;
    for (const auto& [name, text] : own_scenarios()) {
        if (name == name_or_file) {
            return read_scenario(text, name);
        }
        names.push_back(name);
    }
    const base::file_text file = base::read_file(name_or_file, largest_file);
    if (file.fault.empty()) {
        return read_scenario(file.text, name_or_file);
    }
    const std::string hint = base::did_you_mean(base::nearest(name_or_file, names, 1));
    return std::vector{name_or_file + ": no scenario and no file of this name" + (hint.empty() ? hint : ", " + hint)};
}

void stretch(scenario& plan, milliseconds length) {
    const double factor = static_cast<double>(length.count()) / static_cast<double>(plan.length().count());
    for (load_stage& stage : plan.stages) {
        stage.length = std::chrono::nanoseconds{std::llround(static_cast<double>(stage.length.count()) * factor)};
    }
    plan.warmup = scaled(plan.warmup, factor);
    for (load_action& action : plan.actions) {
        action.at = scaled(action.at, factor);
    }
}

}  // namespace concurred::bench
