#pragma once

#include "storage/spool_folder.hpp"
#include "storage/spool_reader.hpp"
#include "storage/spool_segment.hpp"
#include "storage/usage_sink.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace concurred::storage {

/// What a dead process left in its spool: its settled records, then one for each request that was open, aborted and
/// estimated. Once all is applied the files are removed. Used by the database thread.
class dead_spool final : public usage_feed {
public:
    /// @param folder claimed: see `claim_dead_spools`
    explicit dead_spool(spool_folder folder);
    /// Removes the files if all of it was applied; else they stay for the next start.
    ~dead_spool() override;

    [[nodiscard]] std::span<const base::usage_record> peek(std::size_t max) override;
    void release(std::size_t count) override;
    [[nodiscard]] std::size_t waiting() const noexcept override { return finished() ? 0 : 1; }
    [[nodiscard]] bool finished() const noexcept override { return finished_.load(std::memory_order_relaxed); }

    /// What there was, for the log. Complete once it is finished.
    struct findings {
        std::uint64_t settled = 0;
        std::uint64_t aborted = 0;
        std::uint64_t torn = 0;         ///< frames that were cut off: their requests count as aborted
        std::uint64_t lost = 0;         ///< records that were damaged or missing
        std::uint64_t quarantined = 0;  ///< files that are no segments
    };
    [[nodiscard]] findings found() const noexcept;
    [[nodiscard]] const std::string& path() const noexcept { return folder_.path(); }

private:
    spool_folder folder_;
    std::vector<std::unique_ptr<spool_segment>> segments_;
    std::unique_ptr<spool_reader> reader_;
    bool closed_ = false;  // what was open is among the records
    std::atomic<bool> finished_{false};
    findings found_;
};

}  // namespace concurred::storage
