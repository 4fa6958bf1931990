#include "gateway/server/response_writer.hpp"

#include <boost/beast/http/status.hpp>

#include <charconv>
#include <chrono>

namespace concurred::server {

namespace {

void two_digits(char* to, unsigned value) noexcept {
    to[0] = static_cast<char>('0' + value / 10 % 10);
    to[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string_view date_text::at(base::wall_time now) {
    using namespace std::chrono;
    const auto whole = floor<seconds>(now);
    const std::int64_t second = whole.time_since_epoch().count();
    if (second != second_) {
        second_ = second;
        static constexpr std::string_view days = "SunMonTueWedThuFriSat";
        static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
        const auto day = floor<std::chrono::days>(whole);
        const year_month_day date(day);
        const hh_mm_ss time(whole - day);
        const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
        std::string_view("xxx, 00 xxx 0000 00:00:00 GMT").copy(text_.data(), text_.size());
        days.substr(3 * weekday(day).c_encoding(), 3).copy(text_.data(), 3);
        two_digits(text_.data() + 5, static_cast<unsigned>(date.day()));
        months.substr(3 * (static_cast<unsigned>(date.month()) - 1), 3).copy(text_.data() + 8, 3);
        two_digits(text_.data() + 12, year / 100);
        two_digits(text_.data() + 14, year % 100);
        two_digits(text_.data() + 17, static_cast<unsigned>(time.hours().count()));
        two_digits(text_.data() + 20, static_cast<unsigned>(time.minutes().count()));
        two_digits(text_.data() + 23, static_cast<unsigned>(time.seconds().count()));
    }
    return {text_.data(), text_.size()};
}

framing_choice choose_framing(const http::response& r, unsigned version, bool head_only, bool may_keep) {
    framing_choice choice;
    choice.keep_alive = may_keep && !r.close;
    const bool bodyless_status = r.status == 204 || r.status == 304 || r.status < 200;
    if (!bodyless_status) {
        choice.length = r.body ? r.body->length() : r.whole().size();
    }
    if (head_only || bodyless_status) {
        return choice;
    }
    if (choice.length) {
        choice.framing = body_framing::length;
    } else if (version == 11) {
        choice.framing = body_framing::chunked;
    } else {
        choice.framing = body_framing::close;
        choice.keep_alive = false;
    }
    return choice;
}

void write_head(head_text& out, const http::response& r, const framing_choice& choice, unsigned version,
                std::string_view date, std::string_view extra) {
    if (r.status == 200) {
        out.append("HTTP/1.1 200 OK\r\nDate: ");
    } else {
        const auto reason = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(r.status));
        out.append("HTTP/1.1 ").append(r.status).append(" ").append(std::string_view(reason.data(), reason.size()));
        out.append("\r\nDate: ");
    }
    out.append(date).append("\r\n");
    if (r.status != 204 && r.status != 304) {
        out.append("Content-Type: ").append(r.content_type).append("\r\n");
    }
    if (choice.length) {
        out.append("Content-Length: ").append(*choice.length).append("\r\n");
    } else if (choice.framing == body_framing::chunked) {
        out.append("Transfer-Encoding: chunked\r\n");
    }
    if (!choice.keep_alive) {
        out.append("Connection: close\r\n");
    } else if (version == 10) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append(extra).append("\r\n");
}

void write_chunk_prefix(chunk_prefix& out, std::size_t size) {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
    out.append(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()))).append("\r\n");
}

}  // namespace concurred::server
