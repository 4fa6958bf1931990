#include "bench/mock_words.hpp"

#include "bench/mock_json.hpp"
#include "bench/mock_template.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace concurred::bench::words {
namespace {

constexpr std::array<std::string_view, 4> cities{"Paris", "Tokyo", "Lima", "Oslo"};
constexpr std::string_view reasoning =
    "Let me think: somebody asks a thing, and an answer is due. First what is known, then what follows from it. ";

bool control(char c) noexcept {
    return static_cast<unsigned char>(c) < ' ';
}

}  // namespace

std::string tool_arguments(const mock_reply& reply, std::uint32_t index) {
    if (!reply.tool_arguments.empty()) {
        return std::string(reply.tool_arguments);
    }
    return R"({"location":")" + std::string(cities[index % cities.size()]) + R"("})";
}

std::string escaped(std::string_view text) {
    std::string quoted;
    json::append_quoted(quoted, text);
    return quoted.substr(1, quoted.size() - 2);
}

std::vector<std::string_view> pieces(std::string_view escaped, std::uint32_t characters) {
    std::vector<std::string_view> pieces;
    for (std::size_t begin = 0, at = 0; begin < escaped.size(); begin = at) {
        for (std::uint32_t i = 0; i < characters && at < escaped.size(); ++i) {
            at += json::unit_length(escaped, at);
        }
        pieces.push_back(escaped.substr(begin, at - begin));
    }
    return pieces;
}

std::string numbered(std::string_view prefix, std::uint32_t index) {
    std::string id(prefix);
    id += mock_stamp::number_mark;
    return id + "n" + std::to_string(index);
}

std::string thought(const mock_reply& reply, std::uint32_t index) {
    std::string text;
    for (std::uint64_t at = std::uint64_t{index} * reply.chunk, end = at + reply.chunk; at < end; ++at) {
        text += reasoning[at % reasoning.size()];
    }
    return text;
}

std::string thoughts(const mock_reply& reply) {
    std::string text;
    for (std::uint32_t i = 0; i < reply.thoughts; ++i) {
        text.append(thought(reply, i));
    }
    return text;
}

std::string signature(std::string_view text) {
    // FNV-1a: enough to notice a text that was changed.
    std::uint64_t hash = 14'695'981'039'346'656'037U;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
    }
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOP";
    std::string made = "MockSignature";
    for (int shift = 60; shift >= 0; shift -= 4) {
        made += digits[hash >> shift & 15];
    }
    return made + "/+NotReal+";
}

std::uint32_t number_in(std::string_view value) noexcept {
    std::uint32_t number = UINT32_MAX;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

void make_printable(std::string& text) noexcept {
    std::ranges::replace_if(text, control, ' ');
}

bool printable(std::string_view text) noexcept {
    return std::ranges::none_of(text, control);
}

}  // namespace concurred::bench::words
