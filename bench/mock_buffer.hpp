#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace concurred::bench {

/// Bytes received and not yet used. Grows without clearing memory, and never by itself.
class mock_buffer {
public:
    /// Room for at least `size` more bytes, to be read into; valid until the next call. Gives memory back once a large
    /// message is used up.
    [[nodiscard]] std::span<char> room(std::size_t size) {
        if (begin_ == end_) {
            begin_ = end_ = 0;
            if (capacity_ > keep && size <= keep) {
                bytes_.reset();
                capacity_ = 0;
            }
        }
        if (capacity_ - end_ < size) {
            grow(size);
        }
        return {bytes_.get() + end_, capacity_ - end_};
    }
    /// Counts `size` bytes of the room as received.
    void commit(std::size_t size) noexcept { end_ += size; }
    /// Drops `size` bytes from the front. A read into the room may be under way.
    void consume(std::size_t size) noexcept { begin_ += size; }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }

private:
    static constexpr std::size_t keep = 64 * 1024;

    void grow(std::size_t size) {
        const std::size_t used = end_ - begin_;
        // By half at least: a chunked body says piece by piece how long it is.
        const std::size_t wanted = std::max({used + size, used + used / 2, capacity_});
        auto bytes = std::make_unique_for_overwrite<char[]>(wanted);
        if (used != 0) {
            std::memcpy(bytes.get(), bytes_.get() + begin_, used);
        }
        bytes_ = std::move(bytes);
        capacity_ = wanted;
        begin_ = 0;
        end_ = used;
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace concurred::bench
