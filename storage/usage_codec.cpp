#include "storage/usage_codec.hpp"

#include "storage/octets.hpp"

#include <cstring>

namespace concurred::storage {

namespace {

enum packed_flag : std::uint8_t { flag_byok = 1, flag_stream = 2, flag_estimated = 4, flag_priced = 8 };
constexpr std::uint8_t all_packed_flags = 15;

std::uint8_t flags_of(const base::usage_record& r) noexcept {
    return static_cast<std::uint8_t>((r.byok ? flag_byok : 0) | (r.stream ? flag_stream : 0) |
                                     (r.estimated ? flag_estimated : 0) | (r.priced ? flag_priced : 0));
}

/// Calls one function for each field, in their order.
template <class Coder, class Record>
void code_numbers(Coder& c, Record& r) noexcept {
    c.number(r.admitted_ms);
    c.number(r.day);
    c.number(r.status);
    c.number(r.price_version);
    c.number(r.tokens.prompt);
    c.number(r.tokens.cache_read);
    c.number(r.tokens.cache_write);
    c.number(r.tokens.completion);
    c.number(r.tokens.reasoning);
    c.number(r.reserved_tokens);
    c.number(r.cost_nano_usd);
    c.number(r.latency_ms);
    c.number(r.first_token_ms);
}

template <class Coder, class Record>
void code_texts(Coder& c, Record& r) noexcept {
    c.text(r.owner);
    c.text(r.key_id);
    c.text(r.endpoint);
    c.text(r.provider);
    c.text(r.model_requested);
    c.text(r.model);
    c.text(r.upstream_request_id);
}

}  // namespace

std::size_t pack_usage(std::span<std::uint8_t> out, const base::usage_record& record) noexcept {
    octet_writer w(out.data());
    w.bytes(record.id);
    w.number(static_cast<std::uint8_t>(record.end));
    w.number(flags_of(record));
    code_numbers(w, record);
    code_texts(w, record);
    return static_cast<std::size_t>(w.at() - out.data());
}

bool unpack_usage(std::span<const std::uint8_t> packed, base::usage_record& out) noexcept {
    octet_reader r(packed);
    std::uint8_t end = 0;
    std::uint8_t flags = 0;
    r.bytes(out.id);
    r.number(end);
    r.number(flags);
    code_numbers(r, out);
    code_texts(r, out);
    if (end > static_cast<std::uint8_t>(base::end_reason::aborted) || (flags & ~all_packed_flags) != 0) {
        return false;
    }
    out.end = static_cast<base::end_reason>(end);
    out.byok = (flags & flag_byok) != 0;
    out.stream = (flags & flag_stream) != 0;
    out.estimated = (flags & flag_estimated) != 0;
    out.priced = (flags & flag_priced) != 0;
    return r.good_to_the_end();
}

base::event_id packed_id(std::span<const std::uint8_t> packed) noexcept {
    base::event_id id{};
    octet_reader(packed).bytes(id);
    return id;
}

}  // namespace concurred::storage
