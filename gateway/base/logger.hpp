#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/log_options.hpp"
#include "gateway/base/log_text.hpp"
#include "gateway/base/log_writer.hpp"

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace concurred::base {

/// The message of an event: a literal, so that what comes from outside can only be a field, and so that lines of one
/// place in the code can be counted together.
class log_message {
public:
    consteval log_message(const char* literal) : text_(literal) {}  // NOLINT(google-explicit-constructor)
    [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

private:
    std::string_view text_;
};

/// A named value of an event. Texts must live until the call returns; nothing secret may be put there.
struct log_field {
    log_field(std::string_view field, std::string_view text) noexcept : name(field), value(text) {}
    template <std::same_as<bool> Bool>
    log_field(std::string_view field, Bool flag) noexcept : name(field), value(flag) {}
    template <std::signed_integral Integer>
    log_field(std::string_view field, Integer number) noexcept : name(field), value(std::int64_t{number}) {}
    template <std::unsigned_integral Integer>
    requires(!std::same_as<Integer, bool>) log_field(std::string_view field, Integer number)
    noexcept : name(field), value(std::uint64_t{number}) {}
    template <std::floating_point Real>
    log_field(std::string_view field, Real number) noexcept : name(field), value(static_cast<double>(number)) {}

    std::string_view name;
    std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;
};

struct logger_options {
    log_level level = log_level::info;
    log_format format = log_format::json;
    /// The clock of the lines. A function, so that tests can stand in for it.
    wall_time (*now)() = &std::chrono::system_clock::now;
};

/// Events of one shard (or of the main thread), one line each:
/// `{"ts":"2026-11-23T10:00:00.123Z","level":"info","msg":"listening","port":8080}`
/// At most 100 lines a second with the same message; one more says how many were left out.
/// Belongs to one thread; pass it by reference.
class logger {
public:
    /// \param writer  outlives the logger
    logger(log_writer& writer, const logger_options& options);
    /// Hands over what is left.
    ~logger();
    logger(const logger&) = delete;
    logger& operator=(const logger&) = delete;

    [[nodiscard]] bool enabled(log_level level) const noexcept { return level >= options_.level; }

    /// Writes an event. Every line goes to the writer's thread at once; while that is behind, up to 64 KiB of lines are
    /// kept here, then new ones are dropped and counted.
    void log(log_level level, log_message message, std::initializer_list<log_field> fields = {});

    void debug(log_message message, std::initializer_list<log_field> fields = {}) {
        log(log_level::debug, message, fields);
    }
    void info(log_message message, std::initializer_list<log_field> fields = {}) {
        log(log_level::info, message, fields);
    }
    void warn(log_message message, std::initializer_list<log_field> fields = {}) {
        log(log_level::warn, message, fields);
    }
    void error(log_message message, std::initializer_list<log_field> fields = {}) {
        log(log_level::error, message, fields);
    }

    /// Says what was left out in past seconds and hands over what waits. The shard calls it every 100 ms.
    void flush();

    void set_level(log_level level) noexcept { options_.level = level; }

private:
    /// How often one message was logged in the current second.
    struct message_rate {
        std::string_view message;
        log_level level = log_level::info;
        std::int64_t second = 0;
        std::uint32_t written = 0;
        std::uint64_t left_out = 0;
    };

    [[nodiscard]] bool admit(log_level level, std::string_view message, wall_time at);
    void report_left_out(message_rate& rate, wall_time at);
    void append_line(log_level level, std::string_view message, std::initializer_list<log_field> fields, wall_time at);
    void hand_over() noexcept;

    log_writer& writer_;
    logger_options options_;
    log_timestamp timestamp_;
    std::string pending_;
    std::vector<message_rate> rates_;  ///< one for each message ever logged: as many as the code has
};

}  // namespace concurred::base
