#pragma once

#include "storage/spool_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace concurred::storage {

/// Walks through the frames of one segment. Pure: it is given the bytes, and trusts none of them unless told to. What
/// is cut off, damaged or of another file is passed over to the next good frame, and counted.
class spool_scanner {
public:
    /// @param bytes of the whole segment; outlive the scanner
    spool_scanner(std::span<const std::uint8_t> bytes, const spool_seal& seal,
                  frame_trust trust = frame_trust::none) noexcept
        : bytes_(bytes), seal_(seal), trust_(trust) {}

    /// The next good frame that ends at or before `limit`; its payload is a view into the segment. nullopt: there is
    /// none, `offset` is at the limit.
    /// @param limit at most the size of the segment; not below that of the last call
    [[nodiscard]] std::optional<frame_view> next(std::size_t limit) noexcept;

    /// Where the frame after the last one begins.
    [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
    /// Places inside the segment that were passed over: something good follows them.
    [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }
    /// Whether the segment ends in something that is neither good nor empty: a frame that was cut off.
    [[nodiscard]] bool torn() const noexcept { return torn_; }

private:
    std::span<const std::uint8_t> bytes_;
    spool_seal seal_;
    frame_trust trust_;
    std::size_t offset_ = spool_header_bytes;
    std::uint64_t next_sequence_ = 0;  // frames before it are not taken: they are copies
    std::uint64_t damaged_ = 0;
    bool torn_ = false;
};

}  // namespace concurred::storage
