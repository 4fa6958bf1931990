#include "storage/usage_batch_table.hpp"

#include "storage/sqlite.hpp"
#include "storage/sqlite_error.hpp"

#include <sqlite3.h>

#include <cstddef>
#include <new>

// A table-valued function without arguments: https://www.sqlite.org/vtab.html, 1.1.2 (eponymous-only virtual tables).

namespace concurred::storage {

namespace {

struct table : sqlite3_vtab {
    const usage_batch_table* batch = nullptr;
};

struct cursor : sqlite3_vtab_cursor {
    const std::vector<usage_batch_table::row>* rows = nullptr;
    std::size_t at = 0;
};

cursor& of(sqlite3_vtab_cursor* c) noexcept {
    return *static_cast<cursor*>(c);
}

int connect(sqlite3* handle, void* batch, int, const char* const*, sqlite3_vtab** out, char**) noexcept {
    auto* const made = new (std::nothrow) table();
    if (made == nullptr) {
        return SQLITE_NOMEM;
    }
    made->batch = static_cast<const usage_batch_table*>(batch);
    *out = made;
    return sqlite3_declare_vtab(handle, "CREATE TABLE x(slot INTEGER, record BLOB)");
}

int disconnect(sqlite3_vtab* one) noexcept {
    delete static_cast<table*>(one);
    return SQLITE_OK;
}

int best_index(sqlite3_vtab*, sqlite3_index_info*) noexcept {
    return SQLITE_OK;  // there is one way: from the first to the last
}

int open(sqlite3_vtab* one, sqlite3_vtab_cursor** out) noexcept {
    auto* const made = new (std::nothrow) cursor();
    if (made == nullptr) {
        return SQLITE_NOMEM;
    }
    made->rows = &static_cast<table*>(one)->batch->rows;
    *out = made;
    return SQLITE_OK;
}

int close(sqlite3_vtab_cursor* c) noexcept {
    delete &of(c);
    return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* c, int, const char*, int, sqlite3_value**) noexcept {
    of(c).at = 0;
    return SQLITE_OK;
}

int next(sqlite3_vtab_cursor* c) noexcept {
    ++of(c).at;
    return SQLITE_OK;
}

int at_end(sqlite3_vtab_cursor* c) noexcept {
    return of(c).at >= of(c).rows->size() ? 1 : 0;
}

int column(sqlite3_vtab_cursor* c, sqlite3_context* out, int number) noexcept {
    const usage_batch_table::row& row = (*of(c).rows)[of(c).at];
    if (number == 0) {
        sqlite3_result_int64(out, row.slot);
    } else {
        sqlite3_result_blob64(out, row.record.data(), row.record.size(), SQLITE_STATIC);
    }
    return SQLITE_OK;
}

int row_id(sqlite3_vtab_cursor* c, sqlite3_int64* out) noexcept {
    *out = static_cast<sqlite3_int64>(of(c).at);
    return SQLITE_OK;
}

sqlite3_module make_module() noexcept {
    sqlite3_module m{};
    m.xConnect = connect;  // without xCreate: it is there, and nobody makes more of it
    m.xDisconnect = disconnect;
    m.xBestIndex = best_index;
    m.xOpen = open;
    m.xClose = close;
    m.xFilter = filter;
    m.xNext = next;
    m.xEof = at_end;
    m.xColumn = column;
    m.xRowid = row_id;
    return m;
}

}  // namespace

base::result<usage_batch_table*> usage_batch_table::install(sqlite_database& database) {
    static const sqlite3_module module = make_module();
    auto* const made = new usage_batch_table();
    const auto destroy = [](void* one) { delete static_cast<usage_batch_table*>(one); };  // also when it fails
    if (const int code = sqlite3_create_module_v2(database.handle(), "usage_batch", &module, made, destroy);
        code != SQLITE_OK) {
        return sqlite_error(database.handle(), code, "cannot make a table of memory");
    }
    return made;
}

}  // namespace concurred::storage
