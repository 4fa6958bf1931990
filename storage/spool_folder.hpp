#pragma once

#include "gateway/base/error.hpp"
#include "storage/spool_codec.hpp"
#include "storage/unique_fd.hpp"

#include <string>
#include <vector>

namespace concurred::storage {

/// The folder of one spool: `<root>/<id in hexadecimal>`, with a file `lock` that is locked as long as the process
/// lives which owns it. The system lets go of the lock when the process dies, however it dies. Locks are those of one
/// machine: machines must not share a root.
class spool_folder {
public:
    /// Makes and locks a new one.
    [[nodiscard]] static base::result<spool_folder> create(const std::string& root, const spool_id& id);

    [[nodiscard]] const spool_id& id() const noexcept { return id_; }
    [[nodiscard]] int descriptor() const noexcept { return folder_.get(); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Completes when the names of its files are on the disk.
    [[nodiscard]] base::result<void> sync() const;
    /// Names of the segments, oldest first.
    [[nodiscard]] std::vector<std::string> segments() const;
    /// Moves a file into `<root>/quarantine`, for somebody to look at.
    void quarantine(const std::string& name) const noexcept;
    /// Removes the folder, if nothing is in it but the lock and a `carry`.
    void remove() noexcept;

private:
    friend base::result<std::vector<spool_folder>> claim_dead_spools(const std::string& root);
    spool_folder(std::string root, std::string path, const spool_id& id, unique_fd folder, unique_fd lock) noexcept
        : root_(std::move(root)), path_(std::move(path)), id_(id), folder_(std::move(folder)), lock_(std::move(lock)) {}

    std::string root_;
    std::string path_;
    spool_id id_{};
    unique_fd folder_;
    unique_fd lock_;
};

/// Takes over the spools under `root` whose processes are dead. What is not a spool is left alone.
[[nodiscard]] base::result<std::vector<spool_folder>> claim_dead_spools(const std::string& root);

}  // namespace concurred::storage
