#include "storage/usage_batch_table.hpp"

#include "storage/sqlite.hpp"
#include "storage/sqlite_error.hpp"

#include <sqlite3.h>

#include <cstddef>
#include <new>

// A table-valued function without arguments: https://www.sqlite.org/vtab.html, 1.1.2 (eponymous-only virtual tables).

namespace concurred::storage {

namespace {

struct batch_vtab : sqlite3_vtab {
    const usage_batch_table* batch = nullptr;
};

struct batch_cursor : sqlite3_vtab_cursor {
    const std::vector<usage_batch_table::row>* rows = nullptr;
    std::size_t at = 0;
};

batch_cursor& of_batch(sqlite3_vtab_cursor* c) noexcept {
    return *static_cast<batch_cursor*>(c);
}

int batch_connect(sqlite3* handle, void* batch, int, const char* const*, sqlite3_vtab** out, char**) noexcept {
    auto* const made = new (std::nothrow) batch_vtab();
    if (made == nullptr) {
        return SQLITE_NOMEM;
    }
    made->batch = static_cast<const usage_batch_table*>(batch);
    *out = made;
    return sqlite3_declare_vtab(handle, "CREATE TABLE x(slot INTEGER, record BLOB)");
}

int batch_disconnect(sqlite3_vtab* one) noexcept {
    delete static_cast<batch_vtab*>(one);
    return SQLITE_OK;
}

int batch_best_index(sqlite3_vtab*, sqlite3_index_info*) noexcept {
    return SQLITE_OK;  // there is one way: from the first to the last
}

int batch_open(sqlite3_vtab* one, sqlite3_vtab_cursor** out) noexcept {
    auto* const made = new (std::nothrow) batch_cursor();
    if (made == nullptr) {
        return SQLITE_NOMEM;
    }
    made->rows = &static_cast<batch_vtab*>(one)->batch->rows;
    *out = made;
    return SQLITE_OK;
}

int batch_close(sqlite3_vtab_cursor* c) noexcept {
    delete &of_batch(c);
    return SQLITE_OK;
}

int batch_filter(sqlite3_vtab_cursor* c, int, const char*, int, sqlite3_value**) noexcept {
    of_batch(c).at = 0;
    return SQLITE_OK;
}

int batch_next(sqlite3_vtab_cursor* c) noexcept {
    ++of_batch(c).at;
    return SQLITE_OK;
}

int batch_at_end(sqlite3_vtab_cursor* c) noexcept {
    return of_batch(c).at >= of_batch(c).rows->size() ? 1 : 0;
}

int batch_column(sqlite3_vtab_cursor* c, sqlite3_context* out, int number) noexcept {
    const usage_batch_table::row& row = (*of_batch(c).rows)[of_batch(c).at];
    if (number == 0) {
        sqlite3_result_int64(out, row.slot);
    } else {
        sqlite3_result_blob64(out, row.record.data(), row.record.size(), SQLITE_STATIC);
    }
    return SQLITE_OK;
}

int batch_row_id(sqlite3_vtab_cursor* c, sqlite3_int64* out) noexcept {
    *out = static_cast<sqlite3_int64>(of_batch(c).at);
    return SQLITE_OK;
}

sqlite3_module make_batch_module() noexcept {
    sqlite3_module m{};
    m.xConnect = batch_connect;  // without xCreate: it is there, and nobody makes more of it
    m.xDisconnect = batch_disconnect;
    m.xBestIndex = batch_best_index;
    m.xOpen = batch_open;
    m.xClose = batch_close;
    m.xFilter = batch_filter;
    m.xNext = batch_next;
    m.xEof = batch_at_end;
    m.xColumn = batch_column;
    m.xRowid = batch_row_id;
    return m;
}

}  // namespace

base::result<usage_batch_table*> usage_batch_table::install(sqlite_database& database) {
    static const sqlite3_module module = make_batch_module();
    auto* const made = new usage_batch_table();
    const auto destroy = [](void* one) { delete static_cast<usage_batch_table*>(one); };  // also when it fails
    if (const int code = sqlite3_create_module_v2(database.handle(), "usage_batch", &module, made, destroy);
        code != SQLITE_OK) {
        return sqlite_error(database.handle(), code, "cannot make a table of memory");
    }
    return made;
}

}  // namespace concurred::storage
