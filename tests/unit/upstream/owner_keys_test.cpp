#include "upstream/owner_keys.hpp"

#include "crypto/encoding.hpp"
#include "crypto/sealed_secret.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace concurred;
using upstream::dialect_of;

namespace {

crypto::key_ring make_ring() {
    std::string bytes(32, 'a');
    bytes[0] = 'b';
    return crypto::key_ring::parse(crypto::base64_encode(bytes)).value();
}

const crypto::key_ring ring = make_ring();

std::shared_ptr<const upstream::owner_key> key_of(const std::string& id, const std::string& owner,
                                                  const std::string& provider, const std::string& slug,
                                                  std::int64_t created_ms) {
    auto sealed =
        crypto::seal(ring, "sk-" + slug,
                     {.table = upstream::owner_key_table_name, .row_id = id, .owner = owner, .provider = provider});
    return std::make_shared<const upstream::owner_key>(
        upstream::owner_key{id, owner, provider, slug, sealed.value(), created_ms});
}

std::string chosen(const upstream::owner_keys& keys, std::string_view owner, std::string_view provider,
                   std::string_view slug = {}) {
    const auto found = keys.credential_for(owner, provider, slug, dialect_of(provider));
    return !found ? "error" : *found ? std::string((*found)->key()) : "platform";
}

}  // namespace

TEST_SUITE("upstream/owner_keys") {
    TEST_CASE("An owner's newest key for the provider is used, or the one that is named") {
        upstream::owner_keys keys(ring);
        CHECK(chosen(keys, "ann", "openai") == "platform");
        CHECK(chosen(keys, "ann", "openai", "old") == "error");
        keys.put(key_of("1", "ann", "openai", "new", 2'000));
        keys.put(key_of("2", "ann", "openai", "old", 1'000));
        keys.put(key_of("3", "ann", "x-ai", "grok", 3'000));
        keys.put(key_of("4", "bob", "openai", "bobs", 4'000));
        CHECK(chosen(keys, "ann", "openai") == "sk-new");
        CHECK(chosen(keys, "ann", "openai", "old") == "sk-old");
        CHECK(chosen(keys, "ann", "x-ai") == "sk-grok");
        CHECK(chosen(keys, "ann", "google") == "platform");
        CHECK(chosen(keys, "bob", "openai") == "sk-bobs");
        CHECK(chosen(keys, "carol", "openai") == "platform");
        CHECK(keys.has("ann", "x-ai"));
        CHECK_FALSE(keys.has("bob", "x-ai"));
    }

    TEST_CASE("A slug of another provider or another owner is an error, not another key") {
        upstream::owner_keys keys(ring);
        keys.put(key_of("1", "ann", "x-ai", "grok", 1'000));
        keys.put(key_of("2", "bob", "openai", "bobs", 1'000));
        CHECK(chosen(keys, "ann", "openai", "grok") == "error");
        CHECK(chosen(keys, "ann", "openai", "bobs") == "error");
    }

    TEST_CASE("Keys are replaced and removed by their ids") {
        upstream::owner_keys keys(ring);
        keys.put(key_of("1", "ann", "openai", "a", 1'000));
        keys.put(key_of("1", "ann", "openai", "b", 1'000));
        CHECK(keys.size() == 1);
        CHECK(chosen(keys, "ann", "openai") == "sk-b");
        keys.remove("bob", "1");
        CHECK(keys.size() == 1);
        keys.remove("ann", "1");
        keys.remove("ann", "1");
        CHECK(keys.size() == 0);
        CHECK(chosen(keys, "ann", "openai") == "platform");
    }

    TEST_CASE("A key that cannot be opened is an error that names it, and never another key") {
        upstream::owner_keys keys(ring);
        keys.put(key_of("1", "ann", "openai", "good", 1'000));
        auto moved = *key_of("9", "bob", "openai", "stolen", 2'000);
        moved.id = "2";
        moved.owner = "ann";
        keys.put(std::make_shared<const upstream::owner_key>(moved));
        const auto found = keys.credential_for("ann", "openai", {}, dialect_of("openai"));
        REQUIRE_FALSE(found.has_value());
        CHECK(std::string(base::text_of(found.error())).find("'stolen'") != std::string::npos);
        CHECK(std::string(base::text_of(found.error())).find("sk-") == std::string::npos);
    }

    TEST_CASE("The line of the head is the dialect's own") {
        upstream::owner_keys keys(ring);
        keys.put(key_of("1", "ann", "openai", "a", 1'000));
        keys.put(key_of("2", "ann", "anthropic", "b", 1'000));
        CHECK(keys.credential_for("ann", "openai", {}, dialect_of("openai")).value()->key_line.reveal() ==
              "Authorization: Bearer sk-a\r\n");
        CHECK(keys.credential_for("ann", "anthropic", {}, dialect_of("anthropic")).value()->key_line.reveal() ==
              "x-api-key: sk-b\r\n");
    }
}
