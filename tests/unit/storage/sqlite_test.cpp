#include "storage/sqlite.hpp"

#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;

TEST_SUITE("storage/sqlite") {
    TEST_CASE("values come back as they were bound") {
        const temp_folder folder;
        auto database = sqlite_database::open(folder.file("v.db"), quick_options()).value();
        REQUIRE(database.execute("CREATE TABLE t (i INTEGER, t TEXT, e TEXT, n INTEGER, b BLOB)").has_value());
        const std::string text("a\0b'; DROP TABLE t; --\xf0\x9f\x98\x80", 27);
        const std::vector<std::uint8_t> bytes{0, 255, 7};
        auto insert = database.prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?)").value();
        {
            sqlite_query query(insert);
            query.bind(INT64_MIN).bind(text).bind(std::string_view()).bind(std::optional<std::int64_t>());
            query.bind(std::span<const std::uint8_t>(bytes));
            REQUIRE(query.run().has_value());
        }
        {
            sqlite_query query(insert);  // the same statement again, from its first parameter
            query.bind(true)
                .bind(std::string_view("x"))
                .bind(std::string_view("y"))
                .bind(std::optional<std::int64_t>(3));
            query.bind(std::span<const std::uint8_t>());
            REQUIRE(query.run().has_value());
        }
        auto select = database.prepare("SELECT i, t, e, n, b, e IS NULL FROM t ORDER BY rowid").value();
        sqlite_query rows(select);
        REQUIRE(rows.next().value());
        CHECK(rows.integer(0) == INT64_MIN);
        CHECK(rows.text(1) == text);
        CHECK(rows.text(2).empty());
        CHECK(rows.optional_integer(3) == std::nullopt);
        CHECK(rows.text(4) == std::string_view("\0\xff\x07", 3));
        CHECK(rows.integer(5) == 0);  // empty is not NULL
        REQUIRE(rows.next().value());
        CHECK(rows.integer(0) == 1);
        CHECK(rows.optional_integer(3) == 3);
        CHECK(!rows.next().value());
    }

    TEST_CASE("a parameter too many fails the run") {
        const temp_folder folder;
        auto database = sqlite_database::open(folder.file("p.db"), quick_options()).value();
        auto statement = database.prepare("SELECT ?1").value();
        sqlite_query query(statement);
        query.bind(1).bind(2);
        const auto row = query.next();
        REQUIRE(!row.has_value());
        CHECK(contains(row.error().message, "column index out of range"));
    }

    TEST_CASE("a wrong statement is reported with the text of the database") {
        const temp_folder folder;
        auto database = sqlite_database::open(folder.file("s.db"), quick_options()).value();
        const auto prepared = database.prepare("SELECT * FROM nowhere");
        REQUIRE(!prepared.has_value());
        CHECK(contains(prepared.error().message, "s.db': cannot prepare a statement: no such table: nowhere"));
    }

    TEST_CASE("a transaction that is not committed leaves nothing") {
        const temp_folder folder;
        auto database = sqlite_database::open(folder.file("t.db"), quick_options()).value();
        REQUIRE(database.execute("CREATE TABLE t (x)").has_value());
        {
            auto transaction = sqlite_transaction::begin(database);
            REQUIRE(transaction.has_value());
            REQUIRE(database.execute("INSERT INTO t VALUES (1)").has_value());
            CHECK(database.in_transaction());
        }
        CHECK(!database.in_transaction());
        CHECK(database.integer("SELECT count(*) FROM t").value() == 0);
        {
            auto transaction = sqlite_transaction::begin(database);
            REQUIRE(transaction.has_value());
            REQUIRE(database.execute("INSERT INTO t VALUES (1)").has_value());
            REQUIRE(transaction->commit().has_value());
        }
        CHECK(database.integer("SELECT count(*) FROM t").value() == 1);
    }

    TEST_CASE("a lock held elsewhere is an error after the busy timeout, not a hang") {
        const temp_folder folder;
        auto holder = sqlite_database::open(folder.file("b.db"), quick_options()).value();
        auto waiter = sqlite_database::open(folder.file("b.db"), quick_options()).value();
        auto held = sqlite_transaction::begin(holder);
        REQUIRE(held.has_value());
        const auto begun = sqlite_transaction::begin(waiter);
        REQUIRE(!begun.has_value());
        CHECK(begun.error().code == base::errc::service_unavailable);
        CHECK(contains(begun.error().message, "database is locked; another process holds its lock"));
        CHECK(waiter.integer("SELECT count(*) FROM sqlite_schema").has_value());  // reading goes on
    }

    TEST_CASE("a full disk fails the statement, and writing goes on once there is room") {
        const temp_folder folder;
        auto database = sqlite_database::open(folder.file("f.db"), quick_options()).value();
        REQUIRE(database.execute("CREATE TABLE t (x)").has_value());
        REQUIRE(database.execute("PRAGMA max_page_count=8").has_value());
        {
            auto transaction = sqlite_transaction::begin(database);
            REQUIRE(transaction.has_value());
            const auto written = database.execute("INSERT INTO t VALUES (zeroblob(100000))");
            REQUIRE(!written.has_value());
            CHECK(written.error().code == base::errc::service_unavailable);
            CHECK(contains(written.error().message, "f.db': statement failed: database or disk is full"));
        }
        CHECK(!database.in_transaction());
        REQUIRE(database.execute("PRAGMA max_page_count=1000").has_value());
        CHECK(database.execute("INSERT INTO t VALUES (zeroblob(100000))").has_value());
    }
}
