#include "storage/spool_folder.hpp"

#include "crypto/encoding.hpp"
#include "storage/spool_segment.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

namespace concurred::storage {

namespace {

constexpr const char* lock_name = "lock";
constexpr const char* quarantine_name = "quarantine";

/// Held while folders come, go and change hands, so that nobody takes one over that is only being made.
base::result<unique_fd> lock_root(const std::string& root) {
    std::error_code ec;
    std::filesystem::create_directories(root, ec);
    ::chmod(root.c_str(), 0700);
    unique_fd lock(::open((root + "/" + lock_name).c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    if (!lock || ::flock(lock.get(), LOCK_EX) != 0) {
        return spool_error("cannot lock the folder '" + root + "'");
    }
    return lock;
}

unique_fd open_folder(const std::string& path) noexcept {
    return unique_fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

unique_fd open_lock(int folder) noexcept {
    return unique_fd(::openat(folder, lock_name, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
}

std::string name_of(const spool_id& id) {
    return crypto::hex_encode(std::string_view(reinterpret_cast<const char*>(id.data()), id.size()));
}

std::optional<spool_id> id_of(const std::string& name) {
    spool_id id{};
    const auto bytes = name.size() == 2 * id.size() ? crypto::hex_decode(name) : std::nullopt;
    if (!bytes || bytes->size() != id.size()) {
        return std::nullopt;
    }
    std::copy(bytes->begin(), bytes->end(), id.begin());
    return id;
}

}  // namespace

base::result<spool_folder> spool_folder::create(const std::string& root, const spool_id& id) {
    auto guard = lock_root(root);
    if (!guard) {
        return std::move(guard).error();
    }
    std::string path = root + "/" + name_of(id);
    if (::mkdir(path.c_str(), 0700) != 0) {
        return spool_error("cannot make the folder '" + path + "'");
    }
    unique_fd folder = open_folder(path);
    unique_fd lock = folder ? open_lock(folder.get()) : unique_fd();
    if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        return spool_error("cannot lock the folder '" + path + "'");
    }
    const unique_fd above = open_folder(root);
    if (!above || ::fsync(above.get()) != 0) {
        return spool_error("cannot sync the folder '" + root + "'");
    }
    return spool_folder(root, std::move(path), id, std::move(folder), std::move(lock));
}

base::result<void> spool_folder::sync() const {
    if (::fsync(folder_.get()) != 0) {
        return spool_error("cannot sync the folder '" + path_ + "'");
    }
    return {};
}

std::vector<std::string> spool_folder::segments() const {
    std::vector<std::string> names;
    std::error_code ec;
    for (const auto& entry : std::filesystem::directory_iterator(path_, ec)) {
        if (const std::string name = entry.path().filename().string(); name.ends_with(".seg")) {
            names.push_back(name);
        }
    }
    std::sort(names.begin(), names.end());  // numbers have leading zeros
    return names;
}

void spool_folder::quarantine(const std::string& name) const noexcept {
    const std::string folder = root_ + "/" + quarantine_name;
    ::mkdir(folder.c_str(), 0700);
    const std::string target = folder + "/" + name_of(id_) + "-" + name;
    static_cast<void>(::rename((path_ + "/" + name).c_str(), target.c_str()));
}

void spool_folder::remove() noexcept {
    const auto guard = lock_root(root_);
    for (const char* name : {"carry", "carry.new", lock_name}) {
        ::unlinkat(folder_.get(), name, 0);
    }
    ::rmdir(path_.c_str());
}

base::result<std::vector<spool_folder>> claim_dead_spools(const std::string& root) {
    auto guard = lock_root(root);
    if (!guard) {
        return std::move(guard).error();
    }
    std::vector<spool_folder> claimed;
    std::error_code ec;
    for (const auto& entry : std::filesystem::directory_iterator(root, ec)) {
        const auto id = id_of(entry.path().filename().string());
        if (!id) {
            continue;
        }
        unique_fd folder = open_folder(entry.path().string());
        unique_fd lock = folder ? open_lock(folder.get()) : unique_fd();
        if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
            claimed.push_back(spool_folder(root, entry.path().string(), *id, std::move(folder), std::move(lock)));
        }
    }
    if (ec) {
        return base::gateway_error(base::errc::service_unavailable,
                                   "usage spool: cannot read the folder '" + root + "': " + ec.message());
    }
    return claimed;
}

}  // namespace concurred::storage
