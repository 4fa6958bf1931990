#include "storage/provider_key_store.hpp"

#include "crypto/encoding.hpp"
#include "storage/provider_key_rules.hpp"
#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace concurred;
using storage::provider_key_outcome;

namespace {

struct fixture {
    storage::test::temp_folder folder;
    storage::sqlite_database database = storage::open_migrated(folder.file("t.db")).value();
    std::unique_ptr<storage::provider_key_store> store = storage::make_sqlite_provider_key_store(database).value();
};

crypto::key_ring ring_of(char byte, const std::string& more = {}) {
    std::string bytes(32, byte);
    bytes[0] = 'x';
    return crypto::key_ring::parse(crypto::base64_encode(bytes) + more).value();
}

storage::provider_key_row row_of(const std::string& owner, const std::string& slug, const crypto::key_ring& ring) {
    return storage::make_provider_key({owner, "openai", slug, "", crypto::secret_string("sk-0123456789")}, ring, 1'000)
        .value();
}

}  // namespace

TEST_SUITE("storage/provider_key_store") {
    TEST_CASE("A slug is there once for each owner, and free again when its key is deleted") {
        fixture f;
        const auto ring = ring_of('a');
        const auto first = row_of("ann", "one", ring);
        CHECK(f.store->insert(first, 9).value() == provider_key_outcome::inserted);
        CHECK(f.store->insert(row_of("ann", "one", ring), 9).value() == provider_key_outcome::slug_taken);
        CHECK(f.store->insert(row_of("bob", "one", ring), 9).value() == provider_key_outcome::inserted);
        CHECK(f.store->insert(row_of("ann", "two", ring), 1).value() == provider_key_outcome::owner_full);
        REQUIRE(f.store->remove("ann", first.id, 2'000).value());
        CHECK(f.store->insert(row_of("ann", "one", ring), 1).value() == provider_key_outcome::inserted);
    }

    TEST_CASE("A key of another owner is as one that is not there") {
        fixture f;
        const auto row = row_of("ann", "one", ring_of('a'));
        REQUIRE(f.store->insert(row, 9).value() == provider_key_outcome::inserted);
        CHECK_FALSE(f.store->find("bob", row.id).value());
        CHECK_FALSE(f.store->remove("bob", row.id, 2'000).value());
        CHECK(f.store->list("bob").value().empty());
        CHECK(f.store->find("ann", row.id).value());
        CHECK(f.store->list(std::nullopt).value().size() == 1);
    }

    TEST_CASE("A deleted key leaves no secret behind, and is told to those who follow the changes") {
        fixture f;
        const auto row = row_of("ann", "one", ring_of('a'));
        REQUIRE(f.store->insert(row, 9).value() == provider_key_outcome::inserted);
        const auto before = f.store->changed_since(0).value();
        REQUIRE(before.size() == 1);
        CHECK(before[0].sealed == row.sealed);
        REQUIRE(f.store->remove("ann", row.id, 2'000).value());
        CHECK_FALSE(f.store->remove("ann", row.id, 2'000).value());
        const auto after = f.store->changed_since(before[0].change_number).value();
        REQUIRE(after.size() == 1);
        CHECK(after[0].deleted_ms == 2'000);
        CHECK(after[0].sealed.empty());
        CHECK(f.store->changed_since(after[0].change_number).value().empty());
    }

    TEST_CASE("A row that was changed meanwhile is not sealed over") {
        fixture f;
        REQUIRE(f.store->insert(row_of("ann", "one", ring_of('a')), 9).value() == provider_key_outcome::inserted);
        const auto seen = f.store->list("ann").value().front();
        REQUIRE(f.store->reseal(seen, "cpk1.new", "b").value());
        CHECK_FALSE(f.store->reseal(seen, "cpk1.newer", "c").value());
        const auto now = f.store->list("ann").value().front();
        CHECK(now.sealed == "cpk1.new");
        CHECK(now.sealed_with == "b");
        CHECK(f.store->sealed_otherwise("b").value().empty());
        CHECK(f.store->sealed_otherwise("x").value().size() == 1);
    }

    TEST_CASE("A first start keeps a canary; a ring that cannot open one is wrong") {
        fixture f;
        const auto ring = ring_of('a');
        CHECK(storage::check_master_keys(*f.store, crypto::key_ring()).has_value());
        REQUIRE(storage::check_master_keys(*f.store, ring).has_value());
        CHECK(f.store->canaries().value().size() == 1);
        CHECK(storage::check_master_keys(*f.store, ring).has_value());
        CHECK_FALSE(storage::check_master_keys(*f.store, ring_of('b')).has_value());
        CHECK_FALSE(storage::check_master_keys(*f.store, crypto::key_ring()).has_value());
        CHECK(f.store->canaries().value().size() == 1);
    }

    TEST_CASE("A ring without the key that a row is sealed with is wrong, even if it opens a canary") {
        fixture f;
        const auto old_ring = ring_of('a');
        REQUIRE(storage::check_master_keys(*f.store, old_ring).has_value());
        REQUIRE(f.store->insert(row_of("ann", "one", old_ring), 9).value() == provider_key_outcome::inserted);
        std::string old_bytes(32, 'a');
        old_bytes[0] = 'x';
        const auto both = ring_of('b', "," + crypto::base64_encode(old_bytes));
        REQUIRE(storage::check_master_keys(*f.store, both).has_value());
        CHECK(f.store->canaries().value().size() == 2);
        CHECK_FALSE(storage::check_master_keys(*f.store, ring_of('b')).has_value());

        const auto row = f.store->list("ann").value().front();
        REQUIRE(f.store->reseal(row, storage::seal_again(row, both).value(), both.active_id()).value());
        CHECK(storage::check_master_keys(*f.store, ring_of('b')).has_value());
        REQUIRE(f.store->keep_only_canary(both.active_id()).has_value());
        CHECK_FALSE(storage::check_master_keys(*f.store, old_ring).has_value());
    }
}
