#include "storage/migrations.hpp"

#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;

TEST_SUITE("storage/migrations") {
    TEST_CASE("a new file gets the latest schema, once") {
        const temp_folder folder;
        auto database = sqlite_database::open(folder.file("m.db"), quick_options()).value();
        CHECK(migrate(database).value() == 0);
        CHECK(database.integer("PRAGMA user_version").value() == latest_schema_version());
        CHECK(database.integer("PRAGMA application_id").value() == 0x434b4757);
        CHECK(database.integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('api_key', 'usage_daily')").value() ==
              2);
        CHECK(migrate(database).value() == latest_schema_version());
    }

    TEST_CASE("an up-to-date file is opened while another process holds the write lock") {
        const temp_folder folder;
        auto holder = open_quick(folder.file("m.db"));
        auto held = sqlite_transaction::begin(holder);
        REQUIRE(held.has_value());
        CHECK(open_migrated(folder.file("m.db"), quick_options()).has_value());
    }

    TEST_CASE("a file of a newer version is refused and not changed") {
        const temp_folder folder;
        {
            auto database = open_quick(folder.file("m.db"));
            REQUIRE(database.execute("PRAGMA user_version=999").has_value());
        }
        const auto opened = open_migrated(folder.file("m.db"), quick_options());
        REQUIRE(!opened.has_value());
        CHECK(contains(opened.error().message, "m.db': its schema version is 999, this program knows versions up to " +
                                                   std::to_string(latest_schema_version())));
        auto database = sqlite_database::open(folder.file("m.db"), quick_options()).value();
        CHECK(database.integer("PRAGMA user_version").value() == 999);
    }

    TEST_CASE("a version number that does not fit the tables is refused") {
        for (const char* version : {"0", "-3"}) {
            CAPTURE(version);
            const temp_folder folder;
            {
                auto database = open_quick(folder.file("m.db"));
                REQUIRE(database.execute(("PRAGMA user_version=" + std::string(version)).c_str()).has_value());
            }
            const auto opened = open_migrated(folder.file("m.db"), quick_options());
            REQUIRE(!opened.has_value());
            CHECK(contains(opened.error().message, "schema version " + std::string(version) + " is not valid"));
        }
    }

    TEST_CASE("a damaged file is refused with the reason") {
        const temp_folder folder;
        { open_quick(folder.file("m.db")); }
        {
            std::fstream file(folder.file("m.db"), std::ios::binary | std::ios::in | std::ios::out);
            file.seekp(2 * 4'096);
            file << std::string(4'096, '\x5a');
        }
        const auto opened = open_migrated(folder.file("m.db"), quick_options());
        REQUIRE(!opened.has_value());
        CHECK(contains(opened.error().message, "m.db': "));
        CHECK(contains(opened.error().message, "restore it from a backup"));
    }

    TEST_CASE("a migration that fails leaves the file as it was") {
        const temp_folder folder;
        auto database = sqlite_database::open(folder.file("m.db"), quick_options()).value();
        REQUIRE(database.execute("PRAGMA max_page_count=4").has_value());  // not room for all tables
        CHECK(!migrate(database).has_value());
        CHECK(database.integer("PRAGMA user_version").value() == 0);
        CHECK(database.integer("SELECT count(*) FROM sqlite_schema").value() == 0);
        REQUIRE(database.execute("PRAGMA max_page_count=1000").has_value());
        CHECK(migrate(database).value() == 0);
    }

    TEST_CASE("processes that start together on a new file all succeed, and one migrates") {
        for (int round = 0; round < 5; ++round) {
            const temp_folder folder;
            const std::string path = folder.file("deep/m.db");
            int go[2];
            REQUIRE(::pipe(go) == 0);
            std::vector<pid_t> children;
            for (int i = 0; i < 6; ++i) {
                children.push_back(start_child([&] {
                    char byte = 0;
                    ::close(go[1]);
                    if (::read(go[0], &byte, 1) != 0) {  // end of file: all go at once
                        return 3;
                    }
                    auto database = sqlite_database::open(path);
                    if (!database) {
                        std::fprintf(stderr, "%s\n", database.error().message.c_str());
                        return 2;
                    }
                    const auto before = migrate(*database);
                    return before ? (*before == 0 ? 0 : 1) : 2;
                }));
            }
            ::close(go[0]);
            ::close(go[1]);
            int migrated = 0;
            for (const pid_t child : children) {
                const int code = join_child(child);
                CHECK((code == 0 || code == 1));
                migrated += code == 0 ? 1 : 0;
            }
            CHECK(migrated >= 1);
            auto database = open_quick(path);
            CHECK(database.integer("SELECT count(*) FROM change_counter").value() == 1);
            CHECK(database.quick_check().has_value());
        }
    }
}
