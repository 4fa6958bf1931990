#include "bench/mock_template.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace concurred::bench {
namespace {

template <std::size_t N>
void write_digits(std::array<char, N>& text, std::uint64_t value) noexcept {
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit) {
        *digit = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

}  // namespace

mock_stamp::mock_stamp() noexcept {
    set_number(0);
    set_time(0);
}

void mock_stamp::set_number(std::uint64_t value) noexcept {
    value_ = value;
    write_digits(number_, value);
}

void mock_stamp::set_time(std::time_t now) noexcept {
    write_digits(seconds_, static_cast<std::uint64_t>(now));
    date_ = http_date(now);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    std::copy_n(text.begin(), instant_.size(), instant_.begin());
}

void mock_stamp::set_counts(std::uint64_t count, std::uint64_t total) noexcept {
    const auto write = [](std::array<char, 20>& text, std::uint64_t value) {
        return static_cast<std::uint8_t>(std::to_chars(text.data(), text.data() + text.size(), value).ptr -
                                         text.data());
    };
    count_size_ = write(count_, count);
    total_size_ = write(total_, total);
}

std::string_view mock_stamp::text_of(char mark) const noexcept {
    switch (mark) {
        case number_mark:
            return {number_.data(), number_.size()};
        case seconds_mark:
            return {seconds_.data(), seconds_.size()};
        case count_mark:
            return {count_.data(), count_size_};
        case total_mark:
            return {total_.data(), total_size_};
        case instant_mark:
            return {instant_.data(), instant_.size()};
        default:
            return {date_.data(), date_.size()};
    }
}

mock_template::mock_template(std::string_view marked) {
    const mock_stamp blank;
    counts_ = marked.find_first_of("\x04\x05") != std::string_view::npos;
    for (const char c : marked) {
        if (c >= mock_stamp::number_mark && c <= mock_stamp::instant_mark) {
            slots_.push_back({static_cast<std::uint32_t>(text_.size()), c});
            text_.append(counts_ ? std::string_view{} : blank.text_of(c));
        } else {
            text_ += c;
        }
    }
}

void mock_template::append_to(std::string& out, const mock_stamp& stamp) const {
    if (counts_) {
        std::size_t from = 0;
        for (const auto& hole : slots_) {
            out.append(text_, from, hole.at - from).append(stamp.text_of(hole.mark));
            from = hole.at;
        }
        out.append(text_, from);
        return;
    }
    const std::size_t begin = out.size();
    out.append(text_);
    for (const auto& hole : slots_) {
        const std::string_view text = stamp.text_of(hole.mark);
        std::memcpy(out.data() + begin + hole.at, text.data(), text.size());
    }
}

std::array<char, 29> http_date(std::time_t time) noexcept {
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    std::array<char, 29> date;
    std::copy_n(text.begin(), date.size(), date.begin());
    return date;
}

}  // namespace concurred::bench
