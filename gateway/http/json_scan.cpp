#include "gateway/http/json_scan.hpp"

#include "gateway/http/json_lexer.hpp"

#include <algorithm>

namespace concurred::http {

namespace {

using detail::json_ends_early;
using lexer = detail::json_lexer;

constexpr const char* byte_order_mark = "a byte order mark is not allowed";

unsigned bounded_depth(unsigned depth) noexcept {
    return std::clamp(depth, 1U, max_json_depth);
}

std::string_view between(const char* from, const char* to) noexcept {
    return {from, static_cast<std::size_t>(to - from)};
}

}  // namespace

json_reader::json_reader(std::string_view text, json_tail tail, unsigned max_depth) noexcept
    : begin_(text.data()),
      end_(text.data() + text.size()),
      p_(begin_),
      max_depth_(bounded_depth(max_depth)),
      tail_(tail) {}

const json_member* json_reader::fail(const char* at, const char* reason) noexcept {
    p_ = at;
    reason_ = reason;
    stage_ = stage::ended;
    return nullptr;
}

const json_member* json_reader::finish() noexcept {
    stage_ = stage::ended;
    ++p_;
    if (tail_ == json_tail::space) {
        const char* const rest = lexer{end_}.skip_space(p_);
        if (rest != end_) {
            return fail(rest, "unexpected text behind the value");
        }
    }
    return nullptr;
}

json_error json_reader::error() const noexcept {
    return {position(), reason_ == nullptr ? "" : reason_};
}

const json_member* json_reader::next() noexcept {
    lexer lex{end_};
    if (stage_ == stage::ended) {
        return nullptr;
    }
    p_ = lex.skip_space(p_);
    const bool first = stage_ == stage::before;
    if (p_ == end_) {
        return fail(p_, json_ends_early);
    }
    if (first) {
        if (*p_ != '{' && *p_ != '[') {
            return fail(p_, p_ == begin_ && *p_ == '\xEF' ? byte_order_mark : "expected '{' or '['");
        }
        object_ = *p_ == '{';
        stage_ = stage::inside;
    } else if (*p_ == (object_ ? '}' : ']')) {
        return finish();
    } else if (*p_ != ',') {
        return fail(p_, object_ ? "expected ',' or '}'" : "expected ',' or ']'");
    }
    const char* p = lex.skip_space(p_ + 1);
    if (first && p != end_ && *p == (object_ ? '}' : ']')) {
        p_ = p;
        return finish();
    }
    const char* const start = p;
    if (object_) {
        p = lex.name(p, member_.key_escaped);
        if (p == nullptr) {
            return fail(lex.at, lex.reason);
        }
        // The closing quote is the last one before the colon.
        const char* close = p - 1;
        while (*close != '"') {
            --close;
        }
        member_.key = between(start + 1, close);
    }
    member_.value_escaped = false;
    const char* const behind = lex.value(p, max_depth_ - 1, member_.kind, member_.value_escaped);
    if (behind == nullptr) {
        return fail(lex.at, lex.reason);
    }
    member_.value = between(p, behind);
    member_.begin = static_cast<std::size_t>(start - begin_);
    member_.end = static_cast<std::size_t>(behind - begin_);
    p_ = behind;
    return &member_;
}

std::optional<json_error> check_json(std::string_view text, unsigned max_depth) noexcept {
    lexer lex{text.data() + text.size()};
    json_kind kind;
    bool escaped = false;
    const char* p = lex.value(lex.skip_space(text.data()), bounded_depth(max_depth), kind, escaped);
    if (p != nullptr) {
        p = lex.skip_space(p);
        if (p == lex.end) {
            return std::nullopt;
        }
        lex.fail(p, "unexpected text behind the value");
    } else if (lex.at == text.data() && text.starts_with('\xEF')) {
        lex.reason = byte_order_mark;
    }
    return json_error{static_cast<std::size_t>(lex.at - text.data()), lex.reason};
}

bool is_json_object(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '{' && !check_json(text);
}

std::string describe(std::string_view text, const json_error& error) {
    const std::string_view before = text.substr(0, std::min(error.offset, text.size()));
    const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const auto characters = std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_begin), before.end(),
                                          [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0) != 0x80; });
    return "line " + std::to_string(lines + 1) + ", column " + std::to_string(characters + 1) + ": " + error.reason;
}

}  // namespace concurred::http
