#include "upstream/usage_extract.hpp"

#include "gateway/http/byte_scan.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <initializer_list>

namespace concurred::upstream {

namespace {

using http::json_kind;
using http::json_member;
using http::json_reader;

/// Above this a count cannot be right, and JavaScript providers cannot write it exactly.
constexpr std::uint64_t largest_count = std::uint64_t{1} << 53;

/// Reads a count. Returns false for anything but null and an integer in range.
bool read_count(const json_member& m, std::uint64_t& out) noexcept {
    if (m.kind == json_kind::null) {
        return true;
    }
    const char* const end = m.value.data() + m.value.size();
    std::uint64_t value = 0;
    const auto [behind, failure] = std::from_chars(m.value.data(), end, value);
    if (m.kind != json_kind::number || failure != std::errc{} || behind != end || value > largest_count) {
        return false;
    }
    out = value;
    return true;
}

/// One count of a details object that matters.
struct wanted {
    std::string_view name;
    std::uint64_t* out;
};

bool read_details(const json_member& m, std::initializer_list<wanted> counts) noexcept {
    if (m.kind == json_kind::null) {
        return true;
    }
    if (m.kind != json_kind::object) {
        return false;
    }
    json_reader members(m.value);
    while (const json_member* detail = members.next()) {
        for (const wanted& count : counts) {
            if (detail->key == count.name && !read_count(*detail, *count.out)) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

std::optional<base::token_counts> parse_usage(std::string_view text, http::json_tail tail, std::size_t* size) noexcept {
    std::uint64_t prompt = 0;
    std::uint64_t completion = 0;
    std::uint64_t total = 0;
    std::uint64_t cached = 0;
    std::uint64_t written = 0;
    std::uint64_t reasoning = 0;

    if (size != nullptr) {
        *size = 0;
    }
    json_reader members(text, tail);
    while (const json_member* m = members.next()) {
        bool good = true;
        if (http::equals(m->key, "prompt_tokens") || http::equals(m->key, "input_tokens")) {
            good = read_count(*m, prompt);
        } else if (http::equals(m->key, "completion_tokens") || http::equals(m->key, "output_tokens")) {
            good = read_count(*m, completion);
        } else if (http::equals(m->key, "total_tokens")) {
            good = read_count(*m, total);
        } else if (http::equals(m->key, "prompt_tokens_details") || http::equals(m->key, "input_tokens_details")) {
            good = read_details(*m, {{"cached_tokens", &cached}, {"cache_write_tokens", &written}});
        } else if (http::equals(m->key, "completion_tokens_details") || http::equals(m->key, "output_tokens_details")) {
            good = read_details(*m, {{"reasoning_tokens", &reasoning}});
        }
        if (!good) {
            return std::nullopt;
        }
    }
    if (!members.ok()) {
        return std::nullopt;
    }
    if (size != nullptr) {
        *size = members.position();
    }
    if (prompt + completion == 0) {
        return std::nullopt;
    }

    base::token_counts counts;
    counts.cache_read = std::min(cached, prompt);
    counts.cache_write = std::min(written, prompt - counts.cache_read);
    counts.prompt = prompt - counts.cache_read - counts.cache_write;
    if (prompt + completion + reasoning == total) {
        counts.completion = completion;
        counts.reasoning = reasoning;
    } else {
        counts.reasoning = std::min(reasoning, completion);
        counts.completion = completion - counts.reasoning;
    }
    return counts;
}

}  // namespace concurred::upstream
