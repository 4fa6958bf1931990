#include "bench/mock_template.hpp"

#include <algorithm>
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
    write_digits(number_, value);
}

void mock_stamp::set_time(std::time_t now) noexcept {
    write_digits(seconds_, static_cast<std::uint64_t>(now));
    date_ = http_date(now);
}

std::string_view mock_stamp::text_of(char mark) const noexcept {
    switch (mark) {
        case number_mark:
            return {number_.data(), number_.size()};
        case seconds_mark:
            return {seconds_.data(), seconds_.size()};
        default:
            return {date_.data(), date_.size()};
    }
}

mock_template::mock_template(std::string_view marked) {
    const mock_stamp blank;
    for (const char c : marked) {
        if (c >= mock_stamp::number_mark && c <= mock_stamp::date_mark) {
            slots_.push_back({static_cast<std::uint32_t>(text_.size()), c});
            text_.append(blank.text_of(c));
        } else {
            text_ += c;
        }
    }
}

void mock_template::append_to(std::string& out, const mock_stamp& stamp) const {
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
