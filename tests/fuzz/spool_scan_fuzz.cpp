// sources: storage/spool_codec.cpp storage/spool_scanner.cpp storage/crc32c.cpp storage/usage_codec.cpp
// A segment of arbitrary bytes: the scanner must end, stay inside, and give nothing that reads as a record but cannot
// be written back to the same bytes.

#include "storage/spool_scanner.hpp"
#include "storage/usage_codec.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

using namespace concurred;
using namespace concurred::storage;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

constexpr spool_id spool{42};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const spool_seal seal = make_seal(spool, 1);
    std::vector<std::uint8_t> bytes(spool_header_bytes + size);
    std::copy_n(data, size, bytes.begin() + spool_header_bytes);
    spool_scanner wild(bytes, seal);
    std::size_t last = spool_header_bytes;
    while (const auto frame = wild.next(bytes.size())) {
        require(wild.offset() > last && wild.offset() <= bytes.size());
        last = wild.offset();
        base::usage_record record;
        if (frame->kind != spool_kind::unknown && unpack_usage(frame->packed, record)) {
            std::vector<std::uint8_t> again(max_spool_frame);
            require(write_frame(again, seal, frame->kind, frame->sequence, record) == frame->size);
            require(std::equal(frame->packed.begin(), frame->packed.end(), again.begin() + spool_frame_head + 2));
        }
    }
    require(wild.offset() >= bytes.size());
    static_cast<void>(read_header(bytes));
    return 0;
}
