#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::bench {

/// What differs from one answer to the next although everything else was built once: fixed-width texts, so that a
/// prebuilt answer is copied and stamped, and its Content-Length stays true.
struct mock_stamp {
    static constexpr char number_mark = '\x01';   ///< stands for the request number: 12 digits
    static constexpr char seconds_mark = '\x02';  ///< stands for the Unix time in seconds: 10 digits
    static constexpr char date_mark = '\x03';     ///< stands for the date of RFC 9110, section 5.6.7: 29 characters
    static constexpr char count_mark = '\x04';    ///< stands for a count of tokens: as many digits as it has
    static constexpr char total_mark = '\x05';    ///< the same of another count
    static constexpr char instant_mark = '\x06';  ///< stands for the Unix time as RFC 3339 has it: 20 characters

    /// Number 0 at time 0.
    mock_stamp() noexcept;

    /// Sets the request number; numbers above 12 digits wrap.
    void set_number(std::uint64_t value) noexcept;
    [[nodiscard]] std::uint64_t number() const noexcept { return value_; }
    /// Sets all texts of time.
    void set_time(std::time_t now) noexcept;
    /// Sets both counts, the only texts whose width differs.
    void set_counts(std::uint64_t count, std::uint64_t total) noexcept;
    /// The text for one of the marks.
    [[nodiscard]] std::string_view text_of(char mark) const noexcept;

private:
    std::uint64_t value_ = 0;
    std::array<char, 12> number_;
    std::array<char, 10> seconds_;
    std::array<char, 29> date_;
    std::array<char, 20> instant_;
    std::array<char, 20> count_{'0'};
    std::array<char, 20> total_{'0'};
    std::uint8_t count_size_ = 1;
    std::uint8_t total_size_ = 1;
};

/// Text with marks of `mock_stamp` in it, compiled once and copied out many times.
class mock_template {
public:
    mock_template() = default;
    /// \param marked the text; every mark in it becomes a slot
    explicit mock_template(std::string_view marked);

    /// Bytes that `append_to` appends, if there are no counts among the slots.
    [[nodiscard]] std::size_t size() const noexcept { return text_.size(); }

    /// Appends the text with its slots filled.
    void append_to(std::string& out, const mock_stamp& stamp) const;

private:
    struct slot {
        std::uint32_t at;
        char mark;
    };
    std::string text_;
    std::vector<slot> slots_;
    bool counts_ = false;  // a slot's width differs: the text has no room for any slot
};

/// The date of RFC 9110, section 5.6.7, for `time`.
[[nodiscard]] std::array<char, 29> http_date(std::time_t time) noexcept;

}  // namespace concurred::bench
