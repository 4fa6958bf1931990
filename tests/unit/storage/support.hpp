#pragma once

#include "gateway/base/usage_record.hpp"
#include "storage/api_key_store.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite.hpp"
#include "storage/usage_store.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::storage::test {

/// A folder that is gone when the test is.
class temp_folder {
public:
    temp_folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "concurred-storage-XXXXXX").string();
        if (::mkdtemp(pattern.data()) != nullptr) {
            path_ = pattern;
        }
    }
    ~temp_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temp_folder(const temp_folder&) = delete;
    temp_folder& operator=(const temp_folder&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

private:
    std::string path_;
};

/// Runs `work` in a child process. Open no database before: SQLite connections must not cross a fork.
/// @param work returns the exit code
/// @returns the child's process id
template <class Work>
pid_t start_child(Work work) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(work());
    }
    return child;
}

/// @returns the exit code of the child, -1 if it was killed
inline int join_child(pid_t child) {
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Not durable and quick to give up: for tests that are not about that.
inline sqlite_options quick_options() {
    sqlite_options options;
    options.durable = false;
    options.busy_timeout = std::chrono::milliseconds(20);
    return options;
}

inline sqlite_database open_quick(const std::string& path) {
    return open_migrated(path, quick_options()).value();
}

inline bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

/// A connection and its key store.
struct opened_keys {
    explicit opened_keys(const std::string& path)
        : database(open_quick(path)), keys(make_sqlite_api_key_store(database).value()) {}

    sqlite_database database;
    std::unique_ptr<api_key_store> keys;
};

/// A connection and its usage store.
struct opened_usage {
    explicit opened_usage(const std::string& path)
        : database(open_quick(path)), usage(make_sqlite_usage_store(database).value()) {}

    std::size_t add(const std::vector<base::usage_record>& records) { return usage->apply(records).value(); }
    usage_sums totals() { return usage->query({.from_day = 0, .to_day = 100'000}).value().totals; }

    sqlite_database database;
    std::unique_ptr<usage_store> usage;
};

inline std::vector<std::string> ids(const std::vector<api_key_row>& rows) {
    std::vector<std::string> out;
    for (const api_key_row& row : rows) {
        out.push_back(row.id);
    }
    return out;
}

/// Different for every call in every process; begins with the time, as real ones do.
inline base::event_id next_event_id(std::int64_t unix_ms) {
    static std::atomic<std::uint32_t> last{0};
    base::event_id id{};
    for (std::size_t i = 0; i < 6; ++i) {
        id[i] = static_cast<std::uint8_t>(unix_ms >> (8 * (5 - i)));
    }
    const auto process = static_cast<std::uint32_t>(::getpid());
    const std::uint32_t number = ++last;
    std::memcpy(id.data() + 8, &number, sizeof(number));
    std::memcpy(id.data() + 12, &process, sizeof(process));
    return id;
}

inline api_key_row key_row(std::string id, std::string owner = "owner-1") {
    api_key_row row;
    row.hash = "hash-of-" + id;
    row.id = std::move(id);
    row.start = "ck_8Dfb";
    row.name = "a key";
    row.owner_id = std::move(owner);
    row.created_ms = 1'000;
    row.updated_ms = 1'000;
    return row;
}

/// A completed and priced request of 10 + 5 tokens for 2,000 nano-USD, with an id of its own.
inline base::usage_record usage(std::int32_t day = 20'000, std::string_view model = "gpt-5.2",
                                std::string_view key_id = "key_1", std::string_view owner = "owner-1") {
    base::usage_record record;
    record.admitted_ms = std::int64_t{day} * 86'400'000;
    record.id = next_event_id(record.admitted_ms);
    record.day = day;
    record.status = 200;
    record.end = base::end_reason::completed;
    record.priced = true;
    record.tokens.prompt = 10;
    record.tokens.completion = 5;
    record.cost_nano_usd = 2'000;
    record.owner = owner;
    record.key_id = key_id;
    record.provider = "openai";
    record.model = model;
    return record;
}

}  // namespace concurred::storage::test
