#pragma once

#include "gateway/base/usage_record.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace concurred::storage {

/// Random name of a numbered sequence of usage records: a ring of this run of the process, or a spool on disk. All
/// zero: the records are not numbered.
using usage_source_id = std::array<std::uint8_t, 16>;

/// Consecutive records of one source. A store remembers the highest number it has applied of each source and skips what
/// it has seen, so that applying a chunk again, or one that is cut elsewhere, changes nothing.
struct usage_chunk {
    usage_source_id source{};
    std::uint64_t first = 1;  ///< number of records[0]; a source counts from 1 without gaps
    std::span<const base::usage_record> records;
};

}  // namespace concurred::storage
