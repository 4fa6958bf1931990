#pragma once

#include "gateway/base/usage_record.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace concurred::storage {

/// Random name of one spool: one shard of one run of the process.
using spool_id = std::array<std::uint8_t, 16>;

// A segment is a header of `spool_header_bytes` and frames, back to back, each at a multiple of 8 bytes:
//
//   u32 length of the payload   u32 CRC-32C over sequence and payload, begun with that of spool and segment
//   u64 sequence                payload: u8 version, u8 kind, the packed record
//   zeros up to the next multiple of 8
//
// All numbers are little-endian. A length of 0 is the end: segments are made of zeros. The CRC begins with the names of
// the spool and the segment, so that a frame of another file, or of another use of the same blocks, is no frame here.

inline constexpr std::size_t spool_header_bytes = 4'096;  // a page of its own: the reader's mark is written there
inline constexpr std::size_t spool_frame_head = 16;

/// What a frame says.
enum class spool_kind : std::uint8_t {
    unknown = 0,  ///< of a newer version of the program
    admit = 1,    ///< a provider is about to be asked: the record as it will be booked if nothing more is heard
    settle = 2,   ///< the request ended: its final record
};

/// What seals the frames of a segment: its spool and its number in it.
struct spool_seal {
    std::uint32_t crc = 0;  ///< of the names; where the CRC of a frame begins
};

[[nodiscard]] spool_seal make_seal(const spool_id& spool, std::uint32_t segment) noexcept;

/// The largest frame there is.
inline constexpr std::size_t max_spool_frame = 1'024;

/// Writes one frame.
/// @param out at least max_spool_frame
/// @returns its size, a multiple of 8
std::size_t write_frame(std::span<std::uint8_t> out, const spool_seal& seal, spool_kind kind, std::uint64_t sequence,
                        const base::usage_record& record) noexcept;

/// What was found at a place in a segment.
enum class frame_state : std::uint8_t {
    good,
    end,  ///< zeros: nothing was written here
    bad,  ///< cut off, damaged, or of another file
};

struct frame_view {
    frame_state state = frame_state::bad;
    std::size_t size = 0;  ///< with good: of the whole frame
    std::uint64_t sequence = 0;
    spool_kind kind = spool_kind::unknown;
    std::span<const std::uint8_t> packed{};  ///< the record, for `unpack_usage`; empty for an unknown kind
};

/// Whether a frame may be believed without a look at its CRC: what this process wrote, and published.
enum class frame_trust : std::uint8_t { none, ours };

/// Looks at the frame at the front of `bytes`. Reads nothing beyond, whatever is there.
[[nodiscard]] frame_view look_at_frame(std::span<const std::uint8_t> bytes, const spool_seal& seal,
                                       frame_trust trust = frame_trust::none) noexcept;

// The header of a segment: magic, version, spool, number, the CRC of these. Then, at `spool_mark_offset`, how far it is
// applied, which changes.

struct spool_header {
    spool_id spool{};
    std::uint32_t segment = 0;
};

inline constexpr std::size_t spool_mark_offset = 64;

/// @param out at least spool_header_bytes
void write_header(std::span<std::uint8_t> out, const spool_header& header) noexcept;

/// @returns nullopt for anything but a header of this version
[[nodiscard]] std::optional<spool_header> read_header(std::span<const std::uint8_t> bytes) noexcept;

}  // namespace concurred::storage
