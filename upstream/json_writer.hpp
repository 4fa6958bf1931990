#pragma once

#include "gateway/http/json_string.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// Appends JSON to a text, with the commas where they belong: before everything but the first thing in an object or
/// array and the value of a name. It needs no state: what the text ends with says which it is.
class json_writer {
public:
    explicit json_writer(std::string& out) noexcept : out_(out) {}

    json_writer& open(char bracket) {
        separate();
        out_ += bracket;
        return *this;
    }
    json_writer& close(char bracket) {
        out_ += bracket;
        return *this;
    }
    /// @param name plain characters only
    json_writer& key(std::string_view name) {
        separate();
        out_.append("\"").append(name).append("\":");
        return *this;
    }
    /// A value as it is written.
    json_writer& raw(std::string_view value) {
        separate();
        out_ += value;
        return *this;
    }
    json_writer& text(std::string_view value) {
        separate();
        http::append_json_string(out_, value);
        return *this;
    }
    json_writer& number(std::uint64_t value) { return raw(std::to_string(value)); }

    json_writer& member(std::string_view name, std::string_view raw_value) { return key(name).raw(raw_value); }
    json_writer& text_member(std::string_view name, std::string_view value) { return key(name).text(value); }
    json_writer& number_member(std::string_view name, std::uint64_t value) { return key(name).number(value); }

    [[nodiscard]] std::string& out() noexcept { return out_; }

private:
    void separate() {
        if (!out_.empty()) {
            const char last = out_.back();
            if (last != '{' && last != '[' && last != ':' && last != ',' && last != ' ') {
                out_ += ',';
            }
        }
    }

    std::string& out_;
};

}  // namespace concurred::upstream
