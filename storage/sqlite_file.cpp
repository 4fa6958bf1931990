#include "storage/sqlite_file.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace concurred::storage {

namespace {

constexpr mode_t folder_mode = 0700;
constexpr mode_t file_mode = 0600;

base::error system_failure(std::string what, const std::string& path, int number) {
    const boost::system::error_code cause(number, boost::system::system_category());
    return base::gateway_error(base::errc::service_unavailable, what + " '" + path + "': " + cause.message(), cause);
}

bool is_folder(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

base::result<void> make_folders(const std::string& folder) {
    for (std::size_t end = folder.find('/', 1);; end = folder.find('/', end + 1)) {
        const std::string part = folder.substr(0, end);
        if (::mkdir(part.c_str(), folder_mode) != 0) {
            const int number = errno;
            if (!is_folder(part)) {
                return system_failure("cannot create the database folder", part, number == EEXIST ? ENOTDIR : number);
            }
        }
        if (end == std::string::npos) {
            return {};
        }
    }
}

}  // namespace

base::result<void> prepare_database_file(const std::string& path, bool create) {
    if (path.empty() || path.front() == ':') {  // SQLite would keep these in memory or in a temporary file
        return base::gateway_error(base::errc::service_unavailable,
                                   "the database needs the path of a file, not '" + path + "'");
    }
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) {
        if (!S_ISREG(info.st_mode)) {
            return base::gateway_error(base::errc::service_unavailable, "database '" + path + "': not a regular file");
        }
        return {};
    }
    const int number = errno;
    if ((number != ENOENT && number != ENOTDIR) || !create) {
        return system_failure("cannot open the database", path, number);
    }
    if (const std::size_t slash = path.rfind('/'); slash != std::string::npos && slash != 0) {
        if (auto made = make_folders(path.substr(0, slash)); !made) {
            return made;
        }
    }
    // Not open() and close(): closing any descriptor of a file drops this process's locks on it.
    if (::mknod(path.c_str(), S_IFREG | file_mode, 0) != 0 && errno != EEXIST) {
        return system_failure("cannot create the database", path, errno);
    }
    return {};
}

}  // namespace concurred::storage
