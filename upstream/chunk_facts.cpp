#include "upstream/chunk_facts.hpp"

#include "gateway/http/byte_scan.hpp"
#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"
#include "upstream/usage_extract.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

using http::equals;
using http::json_kind;
using http::json_member;
using http::json_reader;
using http::json_tail;

/// Bytes of text in a string value.
std::uint64_t text_size(const json_member& m) noexcept {
    if (m.kind != json_kind::string) {
        return 0;
    }
    const std::string_view inside = m.value.substr(1, m.value.size() - 2);
    return m.value_escaped ? http::json_unescaped_size(inside) : inside.size();
}

bool is_filled(const json_member& m) noexcept {
    return (m.kind == json_kind::array || m.kind == json_kind::object) && json_reader(m.value).next() != nullptr;
}

/// `name`, `arguments` and `input` of a function or custom tool.
std::uint64_t function_size(const json_member& function) noexcept {
    std::uint64_t size = 0;
    json_reader members(function.value);
    while (const json_member* m = members.next()) {
        if (equals(m->key, "name") || equals(m->key, "arguments") || equals(m->key, "input")) {
            size += text_size(*m);
        }
    }
    return size;
}

std::uint64_t tool_calls_size(const json_member& calls) noexcept {
    std::uint64_t size = 0;
    json_reader elements(calls.value);
    while (const json_member* call = elements.next()) {
        json_reader members(call->value);
        while (const json_member* m = members.next()) {
            if (equals(m->key, "function") || equals(m->key, "custom")) {
                size += function_size(*m);
            }
        }
    }
    return size;
}

std::uint64_t details_size(const json_member& details) noexcept {
    std::uint64_t size = 0;
    json_reader elements(details.value);
    while (const json_member* detail = elements.next()) {
        json_reader members(detail->value);
        while (const json_member* m = members.next()) {
            if (equals(m->key, "text")) {
                size += text_size(*m);
            }
        }
    }
    return size;
}

/// What a delta or a message holds.
struct output_size {
    std::uint64_t text = 0;
    std::uint64_t details = 0;
    bool content = false;
};

/// Reads a delta or a message; `members` stands before its first member.
output_size read_output(json_reader& members) noexcept {
    output_size out;
    bool reasoning = false;
    while (const json_member* m = members.next()) {
        if (equals(m->key, "content") || equals(m->key, "refusal")) {
            const std::uint64_t size = text_size(*m);
            out.text += size;
            out.content = out.content || size != 0 || is_filled(*m);
        } else if (equals(m->key, "reasoning_content") || equals(m->key, "reasoning")) {
            const std::uint64_t size = text_size(*m);
            out.text += reasoning ? 0 : size;  // where both are given they say the same
            reasoning = reasoning || size != 0;
            out.content = out.content || size != 0;
        } else if (equals(m->key, "tool_calls")) {
            out.text += tool_calls_size(*m);
            out.content = out.content || is_filled(*m);
        } else if (equals(m->key, "function_call")) {
            out.text += function_size(*m);
            out.content = out.content || is_filled(*m);
        } else if (equals(m->key, "reasoning_details")) {
            out.details += details_size(*m);
            out.content = out.content || is_filled(*m);
        } else if (equals(m->key, "audio") || equals(m->key, "images") || equals(m->key, "annotations")) {
            out.content = out.content || is_filled(*m);
        }
    }
    if (reasoning) {
        out.details = 0;
    }
    return out;
}

void read_choice(const json_member& choice, chunk_facts& facts) noexcept {
    json_reader members(choice.value);
    while (const json_member* m = members.next()) {
        if (equals(m->key, "finish_reason")) {
            facts.finished = facts.finished || text_size(*m) != 0;
        } else if (equals(m->key, "delta") || equals(m->key, "message")) {
            json_reader output(m->value);
            const output_size size = read_output(output);
            facts.content = facts.content || size.content;
            if (equals(m->key, "delta")) {
                facts.text_bytes += size.text;
                facts.details_bytes += size.details;
            } else {
                facts.message_bytes += size.text;
            }
        }
    }
}

/// MiniMax reports failures with HTTP 200 and a status of its own.
bool is_failure(const json_member& base_resp) noexcept {
    json_reader members(base_resp.value);
    while (const json_member* m = members.next()) {
        if (equals(m->key, "status_code")) {
            return m->kind == json_kind::number && m->value != "0";
        }
    }
    return false;
}

chunk_facts parse_chunk(std::string_view json) noexcept {
    chunk_facts facts;
    bool no_choices = false;
    bool usage_object = false;
    json_reader members(json);
    while (const json_member* m = members.next()) {
        if (equals(m->key, "choices")) {
            no_choices = m->kind == json_kind::array && !is_filled(*m);
            json_reader choices(m->value);
            while (const json_member* choice = choices.next()) {
                read_choice(*choice, facts);
            }
        } else if (equals(m->key, "usage") && m->kind == json_kind::object) {
            usage_object = true;
            facts.usage = parse_usage(m->value);
        } else if (equals(m->key, "error")) {
            facts.error = facts.error || (m->kind != json_kind::null && m->value != "false" && m->value != "\"\"");
        } else if (equals(m->key, "base_resp")) {
            facts.error = facts.error || is_failure(*m);
        }
    }
    if (!members.ok()) {
        return {};
    }
    facts.usage_only = no_choices && usage_object && !facts.error;
    facts.content = facts.content || facts.finished || facts.usage.has_value();
    return facts;
}

/// First letters of the keys that matter: base_resp, delta, error, finish_reason, usage.
struct key_letters {
    [[nodiscard]] static bool has(char c) noexcept { return c == 'b' || (c >= 'd' && c <= 'f') || c == 'u'; }
#if defined(__SSE2__)
    [[nodiscard]] static __m128i has(__m128i v) noexcept {
        const __m128i from_d = _mm_sub_epi8(v, _mm_set1_epi8('d'));
        const __m128i d_to_f = _mm_cmpeq_epi8(_mm_min_epu8(from_d, _mm_set1_epi8(2)), from_d);
        return _mm_or_si128(d_to_f, _mm_or_si128(http::detail::equal16(v, 'b'), http::detail::equal16(v, 'u')));
    }
#endif
};

const char* skip_space(const char* p, const char* end) noexcept {
    while (p != end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        ++p;
    }
    return p;
}

/// Where the value of `quoted` begins, when that key stands at `p`; else nullptr.
template <std::size_t N>
const char* value_of(const char* p, const char* end, const char (&quoted)[N]) noexcept {
    if (!http::begins(p, end, quoted)) {
        return nullptr;
    }
    p = skip_space(p + N - 1, end);
    if (p == end || *p != ':') {
        return nullptr;
    }
    p = skip_space(p + 1, end);
    return p == end ? nullptr : p;
}

/// Reads the delta that begins at `p`; returns the place behind it.
const char* read_delta(const char* p, const char* end, chunk_facts& facts) noexcept {
    constexpr const char usual[] = R"({"content":")";
    if (http::begins(p, end, usual)) {  // most of all deltas are nothing but a few plain characters
        const char* const text = p + sizeof usual - 1;
        const char* const stop = http::find_byte<http::string_stop_bytes>(text, end);
        if (http::begins(stop, end, "\"}")) {
            facts.text_bytes += static_cast<std::uint64_t>(stop - text);
            facts.content = facts.content || stop != text;
            return stop + 2;
        }
    }
    json_reader delta({p, static_cast<std::size_t>(end - p)}, json_tail::ignored);
    const output_size size = read_output(delta);
    facts.text_bytes += size.text;
    facts.details_bytes += size.details;
    facts.content = facts.content || size.content;
    return p + delta.position();
}

/// Whether a `choices` with nothing in it stands somewhere.
bool mentions_no_choices(std::string_view json) noexcept {
    const char* const end = json.data() + json.size();
    const std::size_t at = json.find("\"choices\"");
    const char* const value = at == std::string_view::npos ? nullptr : value_of(json.data() + at, end, "\"choices\"");
    if (value == nullptr || *value != '[') {
        return false;
    }
    const char* const inside = skip_space(value + 1, end);
    return inside != end && *inside == ']';
}

}  // namespace

chunk_facts read_chunk(std::string_view json) noexcept {
    chunk_facts facts;
    bool usage_seen = false;
    const char* p = json.data();
    const char* const end = p + json.size();
    const auto rest = [end](const char* from) { return std::string_view(from, static_cast<std::size_t>(end - from)); };
    for (;;) {
        // Quotes inside strings are escaped, so only a key can be one of these words in quotes before a colon.
        p = http::find_quoted(p, end, key_letters{});
        if (p == end) {
            return facts;
        }
        bool look_closer = false;
        switch (p[1]) {
            case 'd':
                if (const char* const value = value_of(p, end, "\"delta\""); value != nullptr && *value == '{') {
                    p = read_delta(value, end, facts);
                    continue;
                }
                break;
            case 'f':
                if (const char* const value = value_of(p, end, "\"finish_reason\""); value != nullptr) {
                    look_closer = *value == '"';
                }
                break;
            case 'u':
                if (const char* const value = value_of(p, end, "\"usage\""); value != nullptr && *value == '{') {
                    // A second one is looked at closer without more ado: repeated, these looks would not be linear.
                    look_closer = usage_seen || parse_usage(rest(value), json_tail::ignored).has_value() ||
                                  mentions_no_choices(json);
                    usage_seen = true;
                }
                break;
            case 'e':
                if (const char* const value = value_of(p, end, "\"error\""); value != nullptr) {
                    look_closer = *value != 'n';
                }
                break;
            default:
                if (const char* const value = value_of(p, end, "\"base_resp\""); value != nullptr) {
                    look_closer = *value == '{';
                }
                break;
        }
        if (look_closer) {
            return parse_chunk(json);
        }
        ++p;
    }
}

}  // namespace concurred::upstream
