#include "storage/provider_key_store.hpp"

#include "crypto/encoding.hpp"
#include "storage/provider_key_rules.hpp"
#include "tests/unit/storage/each_store.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

using namespace concurred;
using storage::provider_key_outcome;
using storage::provider_key_store;

namespace {

crypto::key_ring ring_of(char byte, const std::string& more = {}) {
    std::string bytes(32, byte);
    bytes[0] = 'x';
    return crypto::key_ring::parse(crypto::base64_encode(bytes) + more).value();
}

storage::provider_key_row row_of(const std::string& owner, const std::string& slug, const crypto::key_ring& ring) {
    return storage::make_provider_key({owner, "openai", slug, "", crypto::secret_string("sk-0123456789")}, ring, 1'000)
        .value();
}

/// Runs `test` against each kind of store, each time an empty one.
void with_each(const std::function<void(provider_key_store&)>& test) {
    storage::test::with_each([&test](const storage::test::opener& open) {
        const storage::test::stores s = open();
        test(*s.provider_keys);
    });
}

}  // namespace

TEST_SUITE("storage/store_contract: provider keys") {
    TEST_CASE("A slug is there once for each owner, and free again when its key is deleted") {
        with_each([](provider_key_store& store) {
            const auto ring = ring_of('a');
            const auto first = row_of("ann", "one", ring);
            CHECK(store.insert(first, 9).value() == provider_key_outcome::inserted);
            CHECK(store.insert(row_of("ann", "one", ring), 9).value() == provider_key_outcome::slug_taken);
            CHECK(store.insert(row_of("bob", "one", ring), 9).value() == provider_key_outcome::inserted);
            CHECK(store.insert(row_of("ann", "two", ring), 1).value() == provider_key_outcome::owner_full);
            REQUIRE(store.remove("ann", first.id, 2'000).value());
            CHECK(store.insert(row_of("ann", "one", ring), 1).value() == provider_key_outcome::inserted);
        });
    }

    TEST_CASE("A key of another owner is as one that is not there") {
        with_each([](provider_key_store& store) {
            const auto row = row_of("ann", "one", ring_of('a'));
            REQUIRE(store.insert(row, 9).value() == provider_key_outcome::inserted);
            CHECK_FALSE(store.find("bob", row.id).value());
            CHECK_FALSE(store.remove("bob", row.id, 2'000).value());
            CHECK(store.list("bob").value().empty());
            CHECK(store.find("ann", row.id).value());
            CHECK(store.list(std::nullopt).value().size() == 1);
        });
    }

    TEST_CASE("A deleted key leaves no secret behind, and is told to those who follow the changes") {
        with_each([](provider_key_store& store) {
            const auto row = row_of("ann", "one", ring_of('a'));
            REQUIRE(store.insert(row, 9).value() == provider_key_outcome::inserted);
            const auto before = store.changed_since(0).value();
            REQUIRE(before.size() == 1);
            CHECK(before[0].sealed == row.sealed);
            REQUIRE(store.remove("ann", row.id, 2'000).value());
            CHECK_FALSE(store.remove("ann", row.id, 2'000).value());
            const auto after = store.changed_since(before[0].change_number).value();
            REQUIRE(after.size() == 1);
            CHECK(after[0].deleted_ms == 2'000);
            CHECK(after[0].sealed.empty());
            CHECK(store.changed_since(after[0].change_number).value().empty());
        });
    }

    TEST_CASE("A row that was changed meanwhile is not sealed over") {
        with_each([](provider_key_store& store) {
            REQUIRE(store.insert(row_of("ann", "one", ring_of('a')), 9).value() == provider_key_outcome::inserted);
            const auto seen = store.list("ann").value().front();
            REQUIRE(store.reseal(seen, "cpk1.new", "b").value());
            CHECK_FALSE(store.reseal(seen, "cpk1.newer", "c").value());
            const auto now = store.list("ann").value().front();
            CHECK(now.sealed == "cpk1.new");
            CHECK(now.sealed_with == "b");
            CHECK(store.sealed_otherwise("b").value().empty());
            CHECK(store.sealed_otherwise("x").value().size() == 1);
        });
    }

    TEST_CASE("A first start keeps a canary; a ring that cannot open one is wrong") {
        with_each([](provider_key_store& store) {
            const auto ring = ring_of('a');
            CHECK(storage::check_master_keys(store, crypto::key_ring()).has_value());
            REQUIRE(storage::check_master_keys(store, ring).has_value());
            CHECK(store.canaries().value().size() == 1);
            CHECK(storage::check_master_keys(store, ring).has_value());
            CHECK_FALSE(storage::check_master_keys(store, ring_of('b')).has_value());
            CHECK_FALSE(storage::check_master_keys(store, crypto::key_ring()).has_value());
            CHECK(store.canaries().value().size() == 1);
        });
    }

    TEST_CASE("A ring without the key that a row is sealed with is wrong, even if it opens a canary") {
        with_each([](provider_key_store& store) {
            const auto old_ring = ring_of('a');
            REQUIRE(storage::check_master_keys(store, old_ring).has_value());
            REQUIRE(store.insert(row_of("ann", "one", old_ring), 9).value() == provider_key_outcome::inserted);
            std::string old_bytes(32, 'a');
            old_bytes[0] = 'x';
            const auto both = ring_of('b', "," + crypto::base64_encode(old_bytes));
            REQUIRE(storage::check_master_keys(store, both).has_value());
            CHECK(store.canaries().value().size() == 2);
            CHECK_FALSE(storage::check_master_keys(store, ring_of('b')).has_value());

            const auto row = store.list("ann").value().front();
            REQUIRE(store.reseal(row, storage::seal_again(row, both).value(), both.active_id()).value());
            CHECK(storage::check_master_keys(store, ring_of('b')).has_value());
            REQUIRE(store.keep_only_canary(both.active_id()).has_value());
            CHECK_FALSE(storage::check_master_keys(store, old_ring).has_value());
        });
    }

    TEST_CASE("Keys are listed in the order of their creation, of all owners or of one") {
        with_each([](provider_key_store& store) {
            const auto ring = ring_of('a');
            for (const char* const slug : {"c", "b", "a"}) {
                auto row = row_of(*slug == 'b' ? "bob" : "ann", slug, ring);
                row.created_ms = 100 - *slug;
                row.display_name = "N\xC3\xA4me, \"quoted\" \\";
                REQUIRE(store.insert(row, 9).value() == provider_key_outcome::inserted);
            }
            const auto slugs = [](const std::vector<storage::provider_key_row>& rows) {
                std::string all;
                for (const auto& row : rows) {
                    all += row.slug;
                }
                return all;
            };
            CHECK(slugs(store.list(std::nullopt).value()) == "cba");
            CHECK(slugs(store.list("ann").value()) == "ca");
            CHECK(slugs(store.changed_since(0, 2).value()) == "cb");
            CHECK(store.list("bob").value().front().display_name == "N\xC3\xA4me, \"quoted\" \\");
        });
    }

    TEST_CASE("Of owners who store at the same time none gets more keys than allowed, and no slug is there twice") {
        storage::test::with_each([](const storage::test::opener& open) {
            { const auto made = open(); }
            const auto ring = ring_of('a');
            std::atomic<int> inserted{0};
            std::vector<std::thread> writers;
            for (int writer = 0; writer < 4; ++writer) {
                writers.emplace_back([&] {
                    const auto s = open();
                    for (int n = 0; n < 8; ++n) {
                        const auto outcome = s.provider_keys->insert(row_of("ann", "s" + std::to_string(n), ring), 5);
                        inserted += outcome && *outcome == provider_key_outcome::inserted ? 1 : 0;
                    }
                });
            }
            for (std::thread& writer : writers) {
                writer.join();
            }
            const auto s = open();
            CHECK(inserted.load() == 5);
            CHECK(s.provider_keys->list("ann").value().size() == 5);
        });
    }
}

TEST_SUITE("storage/store_contract: login links") {
    TEST_CASE("A link is taken once, by its hash, until it is over") {
        storage::test::with_each([](const storage::test::opener& open) {
            const auto mine = open();
            const auto theirs = open();
            auto& links = *mine.login_links;
            CHECK_FALSE(links.any().value());
            REQUIRE(links.insert("hash-1", "ann", 1'000, 2'000).has_value());
            REQUIRE(links.insert("hash-2", "bob", 1'000, 2'000).has_value());
            CHECK_FALSE(links.take("hash-3", 1'500).value());
            CHECK(theirs.login_links->take("hash-1", 1'500).value() == "ann");
            CHECK_FALSE(links.take("hash-1", 1'500).value());
            CHECK_FALSE(links.take("hash-2", 2'000).value());
            CHECK(links.any().value());
        });
    }

    TEST_CASE("That there has been a link is remembered, however old it is") {
        storage::test::with_each([](const storage::test::opener& open) {
            const auto s = open();
            REQUIRE(s.login_links->insert("hash-1", "ann", 0, 1'000).has_value());
            const std::int64_t later = 10 * storage::kept_login_links_ms;
            REQUIRE(s.login_links->insert("hash-2", "ann", later, later + 1'000).has_value());  // hash-1 was the newest
            CHECK(s.login_links->any().value());
            REQUIRE(s.login_links->insert("hash-3", "ann", later, later + 1'000).has_value());
            CHECK_FALSE(s.login_links->take("hash-1", 500).value());  // forgotten
            CHECK(s.login_links->take("hash-2", later).value() == "ann");
            CHECK(s.login_links->any().value());
        });
    }
}
