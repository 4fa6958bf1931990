#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace concurred::base {

/// Equal blocks of memory for reads and writes, kept for reuse up to a bound. Belongs to one shard.
class buffer_pool {
public:
    static constexpr std::size_t block_size = 16'384;

    /// `keep`: blocks held back for reuse; beyond that they go back to the heap.
    explicit buffer_pool(std::size_t keep = 256) : keep_(keep) { free_.reserve(keep); }
    buffer_pool(const buffer_pool&) = delete;
    buffer_pool& operator=(const buffer_pool&) = delete;

    /// A growable piece of memory; goes back to its pool when destroyed.
    class buffer {
    public:
        buffer() = default;
        buffer(buffer&& other) noexcept { swap(other); }
        buffer& operator=(buffer&& other) noexcept {
            buffer moved(std::move(other));
            swap(moved);
            return *this;
        }
        ~buffer() { release(); }

        [[nodiscard]] char* data() const noexcept { return bytes_.get(); }
        [[nodiscard]] std::size_t size() const noexcept { return size_; }
        [[nodiscard]] explicit operator bool() const noexcept { return bytes_ != nullptr; }

        /// Makes it at least `size` bytes, keeping the first `keep` bytes.
        void grow(std::size_t size, std::size_t keep);
        void release() noexcept;

    private:
        friend class buffer_pool;
        void swap(buffer& other) noexcept {
            std::swap(pool_, other.pool_);
            std::swap(bytes_, other.bytes_);
            std::swap(size_, other.size_);
        }

        buffer_pool* pool_ = nullptr;
        std::unique_ptr<char[]> bytes_;
        std::size_t size_ = 0;
    };

    [[nodiscard]] buffer take();
    [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }

private:
    std::size_t keep_;
    std::size_t in_use_ = 0;
    std::vector<std::unique_ptr<char[]>> free_;
};

}  // namespace concurred::base
