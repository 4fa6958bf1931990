#include "gateway/base/buffer_pool.hpp"

#include <cstring>
#include <utility>

namespace concurred::base {

buffer_pool::buffer buffer_pool::take() {
    buffer b;
    b.pool_ = this;
    b.size_ = block_size;
    if (free_.empty()) {
        b.bytes_ = std::make_unique_for_overwrite<char[]>(block_size);
    } else {
        b.bytes_ = std::move(free_.back());
        free_.pop_back();
    }
    ++in_use_;
    return b;
}

void buffer_pool::buffer::grow(std::size_t size, std::size_t keep) {
    if (size <= size_) {
        return;
    }
    auto larger = std::make_unique_for_overwrite<char[]>(size);
    if (keep != 0) {
        std::memcpy(larger.get(), bytes_.get(), keep);
    }
    std::swap(bytes_, larger);
    const std::size_t old = std::exchange(size_, size);
    if (pool_ != nullptr && old == block_size && pool_->free_.size() < pool_->keep_) {
        pool_->free_.push_back(std::move(larger));
    }
}

void buffer_pool::buffer::release() noexcept {
    if (bytes_ == nullptr) {
        return;
    }
    --pool_->in_use_;
    if (size_ == block_size && pool_->free_.size() < pool_->keep_) {
        pool_->free_.push_back(std::move(bytes_));
    }
    bytes_.reset();
    size_ = 0;
}

}  // namespace concurred::base
