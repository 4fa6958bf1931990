#include "storage/spool_codec.hpp"

#include "storage/crc32c.hpp"
#include "storage/octets.hpp"
#include "storage/usage_codec.hpp"

#include <algorithm>
#include <cstring>

namespace concurred::storage {

namespace {

constexpr std::array<std::uint8_t, 8> magic{'C', 'K', 'S', 'P', 'O', 'O', 'L', '\n'};
constexpr std::uint32_t header_version = 1;
constexpr std::uint8_t payload_version = 2;

constexpr std::size_t round_up(std::size_t size) noexcept {
    return (size + 7) & ~std::size_t{7};
}

// Version and kind before the record.
constexpr std::size_t payload_head = 2;
static_assert(round_up(spool_frame_head + payload_head + max_packed_usage) <= max_spool_frame);

std::uint32_t frame_crc(const spool_seal& seal, std::span<const std::uint8_t> sequence_and_payload) noexcept {
    return crc32c(sequence_and_payload, seal.crc);
}

}  // namespace

spool_seal make_seal(const spool_id& spool, std::uint32_t segment) noexcept {
    std::array<std::uint8_t, 20> names{};
    octet_writer w(names.data());
    w.bytes(spool);
    w.number(segment);
    return {crc32c(names)};
}

std::size_t write_frame(std::span<std::uint8_t> out, const spool_seal& seal, spool_kind kind, std::uint64_t sequence,
                        const base::usage_record& record) noexcept {
    octet_writer w(out.data() + 8);
    w.number(sequence);
    w.number(payload_version);
    w.number(static_cast<std::uint8_t>(kind));
    const auto before = static_cast<std::size_t>(w.at() - out.data());
    const std::size_t size = before + pack_usage(out.subspan(before), record);
    const std::size_t whole = round_up(size);
    std::memset(out.data() + size, 0, whole - size);
    octet_writer head(out.data());
    head.number(static_cast<std::uint32_t>(size - spool_frame_head));
    head.number(frame_crc(seal, out.subspan(8, size - 8)));
    return whole;
}

frame_view look_at_frame(std::span<const std::uint8_t> bytes, const spool_seal& seal, frame_trust trust) noexcept {
    frame_view frame;
    if (bytes.size() < spool_frame_head) {
        const bool zeros = std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
        frame.state = zeros ? frame_state::end : frame_state::bad;
        return frame;
    }
    std::uint32_t length = 0;
    std::uint32_t crc = 0;
    octet_reader r(bytes.first(spool_frame_head));
    r.number(length);
    r.number(crc);
    r.number(frame.sequence);
    if (length == 0) {
        frame.state = crc == 0 && frame.sequence == 0 ? frame_state::end : frame_state::bad;
        return frame;
    }
    if (length > max_spool_frame - spool_frame_head || round_up(spool_frame_head + length) > bytes.size() ||
        (trust == frame_trust::none && frame_crc(seal, bytes.subspan(8, 8 + length)) != crc)) {
        return frame;
    }
    frame.state = frame_state::good;
    frame.size = round_up(spool_frame_head + length);
    const auto payload = bytes.subspan(spool_frame_head, length);
    if (length >= payload_head && payload[0] == payload_version &&
        (payload[1] == static_cast<std::uint8_t>(spool_kind::admit) ||
         payload[1] == static_cast<std::uint8_t>(spool_kind::settle))) {
        frame.kind = static_cast<spool_kind>(payload[1]);
        frame.packed = payload.subspan(payload_head);
    }
    return frame;
}

void write_header(std::span<std::uint8_t> out, const spool_header& header) noexcept {
    std::memset(out.data(), 0, spool_header_bytes);
    octet_writer w(out.data());
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
    octet_reader r(bytes.subspan(magic.size(), size - magic.size() + 4));
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
