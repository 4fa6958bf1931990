#include "storage/sqlite.hpp"

#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;

namespace {

unsigned mode_of(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0;
}

std::string content_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
}

}  // namespace

TEST_SUITE("storage/sqlite_open") {
    TEST_CASE("a new database is private, durable and in write-ahead mode") {
        const temp_folder folder;
        const std::string path = folder.file("a/b/new.db");
        auto database = sqlite_database::open(path);
        REQUIRE(database.has_value());
        CHECK(mode_of(path) == 0600);
        CHECK(mode_of(folder.file("a")) == 0700);
        CHECK(mode_of(folder.file("a/b")) == 0700);
        CHECK(database->integer("PRAGMA synchronous").value() == 2);  // FULL
        CHECK(database->integer("PRAGMA foreign_keys").value() == 1);
        CHECK(database->integer("PRAGMA busy_timeout").value() == 2'000);
        CHECK(database->integer("PRAGMA journal_size_limit").value() == 16 * 1024 * 1024);
        CHECK(database->integer("SELECT journal_mode = 'wal' FROM pragma_journal_mode").value() == 1);
        REQUIRE(database->execute("CREATE TABLE t (x)").has_value());
        CHECK(mode_of(path + "-wal") == 0600);
        CHECK(mode_of(path + "-shm") == 0600);
    }

    TEST_CASE("durability can be given up") {
        const temp_folder folder;
        auto database = sqlite_database::open(folder.file("fast.db"), quick_options());
        REQUIRE(database.has_value());
        CHECK(database->integer("PRAGMA synchronous").value() == 1);  // NORMAL
    }

    TEST_CASE("a relative path makes its folder under the current one, and permissions of existing files stay") {
        const temp_folder folder;
        const auto before = std::filesystem::current_path();
        std::filesystem::current_path(folder.path());
        CHECK(sqlite_database::open("var/x.db").has_value());
        CHECK(sqlite_database::open("plain.db").has_value());
        ::chmod("plain.db", 0640);
        CHECK(sqlite_database::open("plain.db").has_value());
        std::filesystem::current_path(before);
        CHECK(mode_of(folder.file("var/x.db")) == 0600);
        CHECK(mode_of(folder.file("plain.db")) == 0640);
    }

    TEST_CASE("an unusable path is refused with the path and the reason") {
        const temp_folder folder;
        write_file(folder.file("file"), "x");
        struct row {
            std::string path;
            bool create;
            std::string_view names;
            std::string_view reason;
        };
        const row rows[] = {
            {folder.file("file/x.db"), true, "file'", "Not a directory"},
            {folder.file("file/deeper/x.db"), true, "file'", "Not a directory"},
            {folder.file("file/x.db"), false, "x.db'", "Not a directory"},
            {folder.file("missing/x.db"), false, "missing/x.db'", "No such file or directory"},
            {folder.path(), true, "'", "not a regular file"},
            {"/proc/none/x.db", true, "'/proc/none'", "No such file or directory"},
            {"", true, "''", "path of a file"},
            {":memory:", true, "':memory:'", "path of a file"},
        };
        for (const row& r : rows) {
            CAPTURE(r.path);
            sqlite_options options;
            options.create = r.create;
            const auto opened = sqlite_database::open(r.path, options);
            REQUIRE(!opened.has_value());
            CHECK(opened.error().code == base::errc::service_unavailable);
            CHECK(contains(opened.error().message, r.names));
            CHECK(contains(opened.error().message, r.reason));
        }
        CHECK(content_of(folder.file("file")) == "x");
    }

    TEST_CASE("missing permissions are named when the database is opened, not at the first write") {
        if (::geteuid() != 0) {
            MESSAGE("skipped: only root can take the part of another user");
            return;
        }
        const temp_folder folder;
        ::chmod(folder.path().c_str(), 0755);
        CHECK(sqlite_database::open(folder.file("readable.db")).has_value());
        ::chmod(folder.file("readable.db").c_str(), 0644);
        const auto as_nobody = [&](const std::string& path, std::string_view reason) {
            return join_child(start_child([&] {
                if (::setuid(65'534) != 0) {
                    return 2;
                }
                const auto opened = sqlite_database::open(path);
                return !opened && contains(opened.error().message, reason) && contains(opened.error().message, path)
                           ? 0
                           : 1;
            }));
        };
        CHECK(as_nobody(folder.file("readable.db"), "no permission to write, or a read-only file system") == 0);
        CHECK(as_nobody(folder.file("new.db"), "Permission denied") == 0);
        ::chmod(folder.file("readable.db").c_str(), 0600);
        CHECK(as_nobody(folder.file("readable.db"), "unable to open database file (Permission denied)") == 0);
    }

    TEST_CASE("a file that is not a database is refused and left as it was") {
        const temp_folder folder;
        const std::string text(5'000, 'x');
        write_file(folder.file("text.db"), text);
        const auto opened = sqlite_database::open(folder.file("text.db"));
        REQUIRE(!opened.has_value());
        CHECK(opened.error().code == base::errc::internal);
        CHECK(contains(opened.error().message, "text.db': "));
        CHECK(contains(opened.error().message, "file is not a database; restore it from a backup"));
        CHECK(content_of(folder.file("text.db")) == text);
    }

    TEST_CASE("a database of another program is refused and left as it was") {
        const temp_folder folder;
        const std::string path = folder.file("other.db");
        {
            auto made = sqlite_database::open(path).value();
            REQUIRE(made.execute("PRAGMA journal_mode=DELETE; CREATE TABLE theirs (x)").has_value());
        }
        const std::string before = content_of(path);
        const auto opened = sqlite_database::open(path);
        REQUIRE(!opened.has_value());
        CHECK(contains(opened.error().message, "other.db': this SQLite file belongs to another program"));
        CHECK(content_of(path) == before);
    }

    TEST_CASE("damage inside the file is found by the check") {
        const temp_folder folder;
        const std::string path = folder.file("damaged.db");
        {
            auto database = sqlite_database::open(path, quick_options()).value();
            REQUIRE(database
                        .execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); PRAGMA application_id=1129006935;"
                                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
                                 "INSERT INTO t SELECT i, hex(i) FROM n")
                        .has_value());
            CHECK(database.quick_check().has_value());
        }
        std::string bytes = content_of(path);
        REQUIRE(bytes.size() > 5 * 4'096);
        for (std::size_t i = 0; i < 64; ++i) {
            char& byte = bytes[3 * 4'096 + i];
            byte = static_cast<char>(~static_cast<unsigned char>(byte));
        }
        write_file(path, bytes);
        auto database = sqlite_database::open(path, quick_options());
        REQUIRE(database.has_value());
        const auto checked = database->quick_check();
        REQUIRE(!checked.has_value());
        CHECK(checked.error().code == base::errc::internal);
        CHECK(contains(checked.error().message, "damaged.db': the file is damaged"));
        CHECK(contains(checked.error().message, "restore it from a backup"));
    }
}
