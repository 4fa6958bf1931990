#pragma once

#include "gateway/base/buffer_pool.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace concurred::server {

/// Received octets that are not used up yet, in a block that goes back to the pool while there are none.
class input_buffer {
public:
    [[nodiscard]] std::string_view data() const noexcept { return {block_.data() + begin_, end_ - begin_}; }
    [[nodiscard]] char* begin() noexcept { return block_.data() + begin_; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }

    /// Room for at least `least` more octets behind the data, which may move.
    [[nodiscard]] std::span<char> prepare(base::buffer_pool& pool, std::size_t least) {
        if (!block_) {
            block_ = pool.take();
            begin_ = end_ = 0;
        }
        if (block_.size() - end_ < least) {
            std::memmove(block_.data(), block_.data() + begin_, end_ - begin_);
            end_ -= std::exchange(begin_, 0);
            if (block_.size() - end_ < least) {
                block_.grow(std::max(end_ + least, 2 * block_.size()), end_);
            }
        }
        return {block_.data() + end_, block_.size() - end_};
    }

    /// Room behind the data as it lies.
    [[nodiscard]] std::span<char> room() noexcept { return {block_.data() + end_, block_.size() - end_}; }

    void commit(std::size_t octets) noexcept { end_ += octets; }
    /// Takes octets off the end.
    void retract(std::size_t octets) noexcept { end_ -= octets; }
    void consume(std::size_t octets) noexcept { begin_ += octets; }

    /// Gives the block back if nothing is left in it.
    void release_if_empty() noexcept {
        if (empty()) {
            block_.release();
            begin_ = end_ = 0;
        }
    }

private:
    base::buffer_pool::buffer block_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace concurred::server
