#include "storage/sqlite_error.hpp"

#include <sqlite3.h>

#include <string>
#include <utility>

namespace concurred::storage {

namespace {

base::errc errc_of(int code) noexcept {
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_FULL:
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_IOERR:
        case SQLITE_NOMEM:
        case SQLITE_NOLFS:
            return base::errc::service_unavailable;
        case SQLITE_CONSTRAINT:
            return base::errc::conflict;
        default:
            return base::errc::internal;
    }
}

}  // namespace

std::string_view sqlite_advice(int code) noexcept {
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "; another process holds its lock";
        case SQLITE_FULL:
            return "; free some space";
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
            return "; restore it from a backup, or move it away to start with an empty one";
        default:
            return {};
    }
}

base::error sqlite_error(sqlite3* handle, int code, std::string_view doing, std::string_view path) {
    if (path.empty() && handle != nullptr) {
        if (const char* name = sqlite3_db_filename(handle, "main"); name != nullptr) {
            path = name;
        }
    }
    std::string text = "database '";
    text.append(path).append("': ").append(doing).append(": ");
    // The handle's own text is more precise, but only if it is about this failure.
    const bool own = handle != nullptr && (sqlite3_errcode(handle) & 0xff) == (code & 0xff);
    text.append(own ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
    boost::system::error_code cause;
    const int primary = code & 0xff;
    if (handle != nullptr && (primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR || primary == SQLITE_FULL)) {
        if (const int number = sqlite3_system_errno(handle); number != 0) {
            cause.assign(number, boost::system::system_category());
            text.append(" (").append(cause.message()).append(")");
        }
    }
    text.append(sqlite_advice(code));
    return base::gateway_error(errc_of(code), std::move(text), cause);
}

}  // namespace concurred::storage
