#include "storage/spool_codec.hpp"

#include "storage/crc32c.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

namespace concurred::storage {

namespace {

constexpr std::array<std::uint8_t, 8> magic{'C', 'K', 'S', 'P', 'O', 'O', 'L', '\n'};
constexpr std::uint32_t header_version = 1;
constexpr std::uint8_t payload_version = 1;

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

constexpr std::size_t round_up(std::size_t size) noexcept {
    return (size + 7) & ~std::size_t{7};
}

class writer {
public:
    explicit writer(std::uint8_t* at) noexcept : at_(at) {}

    template <class Integer>
    void number(Integer value) noexcept {
        std::memcpy(at_, &value, sizeof(value));
        at_ += sizeof(value);
    }
    void bytes(std::span<const std::uint8_t> value) noexcept {
        std::memcpy(at_, value.data(), value.size());
        at_ += value.size();
    }
    template <std::size_t N>
    void text(const base::fixed_text<N>& value) noexcept {
        static_assert(N <= 255);
        const std::string_view view = value.view();
        number(static_cast<std::uint8_t>(view.size()));
        std::memcpy(at_, view.data(), view.size());
        at_ += view.size();
    }
    [[nodiscard]] std::uint8_t* at() const noexcept { return at_; }

private:
    std::uint8_t* at_;
};

class reader {
public:
    explicit reader(std::span<const std::uint8_t> bytes) noexcept : left_(bytes) {}

    template <class Integer>
    void number(Integer& value) noexcept {
        if (has(sizeof(value))) {
            std::memcpy(&value, left_.data(), sizeof(value));
            left_ = left_.subspan(sizeof(value));
        }
    }
    void bytes(std::span<std::uint8_t> out) noexcept {
        if (has(out.size())) {
            std::memcpy(out.data(), left_.data(), out.size());
            left_ = left_.subspan(out.size());
        }
    }
    template <std::size_t N>
    void text(base::fixed_text<N>& value) noexcept {
        std::uint8_t size = 0;
        number(size);
        if (size > N || !has(size)) {
            good_ = false;
            return;
        }
        value = std::string_view(reinterpret_cast<const char*>(left_.data()), size);
        left_ = left_.subspan(size);
    }
    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] bool good_to_the_end() const noexcept { return good_ && left_.empty(); }

private:
    bool has(std::size_t count) noexcept {
        good_ = good_ && left_.size() >= count;
        return good_;
    }

    std::span<const std::uint8_t> left_;
    bool good_ = true;
};

enum flag : std::uint8_t { flag_byok = 1, flag_stream = 2, flag_estimated = 4, flag_priced = 8 };
constexpr std::uint8_t all_flags = 15;

std::uint8_t flags_of(const base::usage_record& r) noexcept {
    return static_cast<std::uint8_t>((r.byok ? flag_byok : 0) | (r.stream ? flag_stream : 0) |
                                     (r.estimated ? flag_estimated : 0) | (r.priced ? flag_priced : 0));
}

// The fixed part: 2 + 16 + 8 + 4 + 2 + 2 + 4 + 6 * 8 + 8 + 4 + 4; the texts with their lengths.
constexpr std::size_t largest_payload = 102 + (2 * base::max_id_length + 48 + 32 + 96 + 96 + 64 + 64) + 8;
static_assert(round_up(spool_frame_head + largest_payload) <= max_spool_frame);

/// Calls one function for each field, in the order of the payload.
template <class Coder, class Record>
void numbers(Coder& c, Record& r) noexcept {
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
void texts(Coder& c, Record& r) noexcept {
    c.text(r.owner);
    c.text(r.key_id);
    c.text(r.endpoint);
    c.text(r.provider);
    c.text(r.model_requested);
    c.text(r.model);
    c.text(r.request_id);
    c.text(r.upstream_request_id);
}

std::uint32_t frame_crc(const spool_seal& seal, std::span<const std::uint8_t> sequence_and_payload) noexcept {
    return crc32c(sequence_and_payload, seal.crc);
}

}  // namespace

spool_seal make_seal(const spool_id& spool, std::uint32_t segment) noexcept {
    std::array<std::uint8_t, 20> names{};
    writer w(names.data());
    w.bytes(spool);
    w.number(segment);
    return {crc32c(names)};
}

std::size_t write_frame(std::span<std::uint8_t> out, const spool_seal& seal, spool_kind kind, std::uint64_t sequence,
                        const base::usage_record& record) noexcept {
    writer w(out.data() + 8);
    w.number(sequence);
    w.number(payload_version);
    w.number(static_cast<std::uint8_t>(kind));
    w.bytes(record.id);
    w.number(static_cast<std::uint8_t>(record.end));
    w.number(flags_of(record));
    numbers(w, record);
    texts(w, record);
    const auto size = static_cast<std::size_t>(w.at() - out.data());
    const std::size_t whole = round_up(size);
    std::memset(w.at(), 0, whole - size);
    writer head(out.data());
    head.number(static_cast<std::uint32_t>(size - spool_frame_head));
    head.number(frame_crc(seal, out.subspan(8, size - 8)));
    return whole;
}

frame_view look_at_frame(std::span<const std::uint8_t> bytes, const spool_seal& seal) noexcept {
    frame_view frame;
    if (bytes.size() < spool_frame_head) {
        const bool zeros = std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
        frame.state = zeros ? frame_state::end : frame_state::bad;
        return frame;
    }
    std::uint32_t length = 0;
    std::uint32_t crc = 0;
    reader r(bytes.first(spool_frame_head));
    r.number(length);
    r.number(crc);
    r.number(frame.sequence);
    if (length == 0) {
        frame.state = crc == 0 && frame.sequence == 0 ? frame_state::end : frame_state::bad;
        return frame;
    }
    if (length > max_spool_frame - spool_frame_head || round_up(spool_frame_head + length) > bytes.size() ||
        frame_crc(seal, bytes.subspan(8, 8 + length)) != crc) {
        return frame;
    }
    frame.state = frame_state::good;
    frame.size = round_up(spool_frame_head + length);
    frame.payload = bytes.subspan(spool_frame_head, length);
    return frame;
}

std::optional<base::event_id> admitted_id(const frame_view& frame) noexcept {
    reader r(frame.payload);
    std::uint8_t version = 0;
    std::uint8_t kind = 0;
    base::event_id id{};
    r.number(version);
    r.number(kind);
    r.bytes(id);
    const bool admit = version == payload_version && kind == static_cast<std::uint8_t>(spool_kind::admit);
    return admit && r.good() ? std::optional(id) : std::nullopt;
}

bool read_payload(const frame_view& frame, spool_entry& out) noexcept {
    reader r(frame.payload);
    std::uint8_t version = 0;
    std::uint8_t kind = 0;
    std::uint8_t end = 0;
    std::uint8_t flags = 0;
    r.number(version);
    r.number(kind);
    r.bytes(out.record.id);
    r.number(end);
    r.number(flags);
    numbers(r, out.record);
    texts(r, out.record);
    if (version != payload_version || (kind != 1 && kind != 2) ||
        end > static_cast<std::uint8_t>(base::end_reason::aborted) || (flags & ~all_flags) != 0) {
        return false;
    }
    out.kind = static_cast<spool_kind>(kind);
    out.sequence = frame.sequence;
    out.record.end = static_cast<base::end_reason>(end);
    out.record.byok = (flags & flag_byok) != 0;
    out.record.stream = (flags & flag_stream) != 0;
    out.record.estimated = (flags & flag_estimated) != 0;
    out.record.priced = (flags & flag_priced) != 0;
    return r.good_to_the_end();
}

void write_header(std::span<std::uint8_t> out, const spool_header& header) noexcept {
    std::memset(out.data(), 0, spool_header_bytes);
    writer w(out.data());
    w.bytes(magic);
    w.number(header_version);
    w.bytes(header.spool);
    w.number(header.segment);
    const auto size = static_cast<std::size_t>(w.at() - out.data());
    w.number(crc32c(out.first(size)));
}

std::optional<spool_header> read_header(std::span<const std::uint8_t> bytes) noexcept {
    constexpr std::size_t size = magic.size() + 4 + 16 + 4;
    if (bytes.size() < spool_header_bytes || !std::equal(magic.begin(), magic.end(), bytes.begin())) {
        return std::nullopt;
    }
    spool_header header;
    std::uint32_t version = 0;
    std::uint32_t crc = 0;
    reader r(bytes.subspan(magic.size(), size - magic.size() + 4));
    r.number(version);
    r.bytes(header.spool);
    r.number(header.segment);
    r.number(crc);
    if (version != header_version || crc != crc32c(bytes.first(size))) {
        return std::nullopt;
    }
    return header;
}

}  // namespace concurred::storage
