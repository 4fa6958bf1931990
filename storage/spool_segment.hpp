#pragma once

#include "gateway/base/error.hpp"
#include "storage/spool_codec.hpp"
#include "storage/unique_fd.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace concurred::storage {

/// One file of a spool, mapped into memory. All of its blocks are allocated before it is used, so that a full disk is
/// met when it is made and never by a store into the mapping.
class spool_segment {
public:
    /// Makes the file. @param folder the open folder of the spool @param bytes a multiple of the page size
    /// Errors: service_unavailable with the system's reason, and no file is left.
    [[nodiscard]] static base::result<std::unique_ptr<spool_segment>> create(int folder, const spool_header& header,
                                                                             std::size_t bytes);
    /// Maps a file that another process left.
    /// Errors: `conflict` for a file that is no segment of `spool`; not_found for one that was allocated and never
    /// used; service_unavailable when it cannot be read.
    [[nodiscard]] static base::result<std::unique_ptr<spool_segment>> open(int folder, const std::string& name,
                                                                           const spool_id& spool);
    ~spool_segment();
    spool_segment(const spool_segment&) = delete;
    spool_segment& operator=(const spool_segment&) = delete;

    [[nodiscard]] std::span<std::uint8_t> bytes() noexcept { return {data_, size_}; }
    [[nodiscard]] const spool_seal& seal() const noexcept { return seal_; }
    [[nodiscard]] std::uint32_t number() const noexcept { return number_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// How far it is applied, as an offset. Kept in the file: a store, no system call.
    [[nodiscard]] std::size_t mark() const noexcept;
    void set_mark(std::size_t offset) noexcept;

    /// Completes when all that was written before the call is on the disk.
    [[nodiscard]] base::result<void> sync() noexcept;
    /// Removes the file; the mapping stays until the end.
    void remove() noexcept;

    // Between the shard that writes, the thread that reads, and the one that keeps the files.
    std::atomic<std::size_t> written{spool_header_bytes};  ///< offset behind the last whole frame
    std::atomic<spool_segment*> next{nullptr};             ///< set once this one is full
    std::atomic<bool> done{false};                         ///< all of it is applied: the file may go
    std::size_t synced = 0;                                ///< the keeper's

private:
    spool_segment(int folder, std::string name, unique_fd file, std::uint8_t* data, std::size_t size) noexcept
        : folder_(folder), name_(std::move(name)), file_(std::move(file)), data_(data), size_(size) {}

    const int folder_;
    const std::string name_;
    const unique_fd file_;
    std::uint8_t* const data_;
    const std::size_t size_;
    spool_seal seal_;
    std::uint32_t number_ = 0;
};

/// The name of a segment's file.
[[nodiscard]] std::string segment_name(std::uint32_t number);

/// `what` and the reason that errno gives: service_unavailable.
[[nodiscard]] base::error spool_error(std::string what);

}  // namespace concurred::storage
