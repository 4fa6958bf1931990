#include "gateway/base/logger.hpp"

#include <algorithm>
#include <array>

namespace concurred::base {

namespace {

constexpr std::uint32_t lines_per_second = 100;
constexpr std::size_t max_pending = 64 * 1024;

constexpr std::array<std::string_view, 4> json_levels{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 4> text_levels{"DEBUG", "INFO ", "WARN ", "ERROR"};

std::int64_t second_of(wall_time at) noexcept {
    return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

/// Appends any value that is not text; both formats write them alike.
struct append_number {
    std::string& out;
    void operator()(std::string_view) const {}
    void operator()(std::int64_t value) const { append_integer(out, value); }
    void operator()(std::uint64_t value) const { append_integer(out, value); }
    void operator()(double value) const { append_double(out, value); }
    void operator()(bool value) const { out += value ? "true" : "false"; }
};

}  // namespace

logger::logger(log_writer& writer, const logger_options& options) : writer_(writer), options_(options) {}

logger::~logger() {
    hand_over();
    writer_.drop(pending_);
}

void logger::log(log_level level, log_message message, std::initializer_list<log_field> fields) {
    if (!enabled(level)) {
        return;
    }
    const wall_time at = options_.now();
    if (admit(level, message.text(), at)) {
        append_line(level, message.text(), fields, at);
        hand_over();
    }
}

bool logger::admit(log_level level, std::string_view message, wall_time at) {
    // The text of a literal is its identity: comparing addresses is enough.
    auto found = std::find_if(rates_.begin(), rates_.end(),
                              [&](const message_rate& rate) { return rate.message.data() == message.data(); });
    if (found == rates_.end()) {
        rates_.push_back({message, level, second_of(at), 0, 0});
        found = rates_.end() - 1;
    }
    if (found->second != second_of(at)) {
        report_left_out(*found, at);
        found->second = second_of(at);
        found->written = 0;
    }
    found->level = level;
    if (found->written == lines_per_second) {
        ++found->left_out;
        return false;
    }
    ++found->written;
    return true;
}

void logger::report_left_out(message_rate& rate, wall_time at) {
    if (rate.left_out != 0) {
        append_line(rate.level, "lines left out", {{"of", rate.message}, {"count", rate.left_out}}, at);
        rate.left_out = 0;
    }
}

void logger::append_line(log_level level, std::string_view message, std::initializer_list<log_field> fields,
                         wall_time at) {
    if (pending_.size() >= max_pending) {
        writer_.drop(1);
        return;
    }
    const bool json = options_.format == log_format::json;
    if (json) {
        pending_ += "{\"ts\":\"";
        timestamp_.append(pending_, at);
        pending_ += "\",\"level\":\"";
        pending_ += json_levels[static_cast<std::size_t>(level)];
        pending_ += "\",\"msg\":";
        append_log_string(pending_, message);
    } else {
        timestamp_.append_time_of_day(pending_, at);
        pending_ += ' ';
        pending_ += text_levels[static_cast<std::size_t>(level)];
        pending_ += ' ';
        pending_ += message;
    }
    for (const log_field& field : fields) {
        const auto* text = std::get_if<std::string_view>(&field.value);
        pending_ += json ? ',' : ' ';
        json ? append_log_string(pending_, field.name) : append_log_word(pending_, field.name);
        pending_ += json ? ':' : '=';
        if (text == nullptr) {
            std::visit(append_number{pending_}, field.value);
        } else {
            json ? append_log_string(pending_, *text) : append_log_word(pending_, *text);
        }
    }
    pending_ += json ? "}\n" : "\n";
}

void logger::flush() {
    if (std::any_of(rates_.begin(), rates_.end(), [](const message_rate& rate) { return rate.left_out != 0; })) {
        const wall_time at = options_.now();
        for (message_rate& rate : rates_) {
            if (rate.second != second_of(at)) {
                report_left_out(rate, at);
            }
        }
    }
    hand_over();
}

void logger::hand_over() noexcept {
    if (!pending_.empty()) {
        // A full queue keeps the lines here until the next one.
        static_cast<void>(writer_.submit(log_stream::events, pending_));
    }
}

}  // namespace concurred::base
