#include "crypto/secret_string.hpp"

#include "tests/unit/crypto/openssl_memory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>

using namespace concurred;
using crypto::secret_string;
using crypto::openssl_memory::fate;

namespace {

constexpr std::string_view provider_key = "sk-proj-0123456789abcdefghijklmnop";

template <class T>
constexpr bool printable = requires(std::ostream& out, const T& value) {
    out << value;
};

}  // namespace

TEST_SUITE("crypto/secret_string") {
    TEST_CASE("a secret cannot be copied, printed or turned into a string by accident") {
        static_assert(!std::is_copy_constructible_v<secret_string>);
        static_assert(!std::is_copy_assignable_v<secret_string>);
        static_assert(std::is_nothrow_move_constructible_v<secret_string>);
        static_assert(std::is_nothrow_move_assignable_v<secret_string>);
        static_assert(printable<std::string> && !printable<secret_string>);
        static_assert(!std::is_convertible_v<secret_string, std::string_view>);
        static_assert(!std::is_convertible_v<secret_string, std::string>);
        static_assert(!std::is_convertible_v<std::string, secret_string>);
        static_assert(!std::is_convertible_v<std::string_view, secret_string>);
    }

    TEST_CASE("a secret gives back the bytes it was made of") {
        CHECK(secret_string(provider_key).reveal() == provider_key);
        CHECK(secret_string("literal").reveal() == "literal");
        CHECK(secret_string(std::string("a\0b", 3)).reveal() == std::string_view("a\0b", 3));
        CHECK(secret_string(provider_key).size() == provider_key.size());
        CHECK(secret_string().empty());
        CHECK(secret_string("").empty());
        CHECK(secret_string("").reveal().empty());
    }

    TEST_CASE("a string that is handed over is wiped with all of its memory") {
        for (const std::size_t size : {std::size_t{5}, std::size_t{15}, std::size_t{100}}) {
            CAPTURE(size);
            std::string source(size, 's');
            source.reserve(size + 3);
            source.resize(source.capacity(), 's');
            source.resize(size);  // what lies behind the end was secret before
            const char* memory = source.data();
            const std::size_t capacity = source.capacity();
            const secret_string secret(std::move(source));
            CHECK(secret.reveal() == std::string(size, 's'));
            CHECK(source.empty());
            REQUIRE(source.data() == memory);
            // The string still owns all of this memory, although it says that it is empty.
            CHECK(std::all_of(memory, memory + capacity, [](char c) { return c == 0; }));
        }
    }

    TEST_CASE("moving leaves the source empty and the bytes where they are") {
        secret_string first(provider_key);
        const char* where = first.reveal().data();
        secret_string second(std::move(first));
        CHECK(first.empty());
        CHECK(first.reveal().empty());
        CHECK(second.reveal().data() == where);
        secret_string third("other");
        third = std::move(second);
        CHECK(second.empty());
        CHECK(third.reveal() == provider_key);
        secret_string& same = third;
        third = std::move(same);
        CHECK(third.reveal() == provider_key);
    }

    TEST_CASE("the bytes are wiped before their memory is given back") {
        if (!crypto::openssl_memory::watching()) {
            MESSAGE("skipped: OpenSSL had allocated before the test program could watch it");
            return;
        }
        SUBCASE("when the secret is destroyed") {
            std::optional<secret_string> secret(std::in_place, provider_key);
            crypto::openssl_memory::watch(secret->reveal().data(), secret->size());
            secret.reset();
            CHECK(crypto::openssl_memory::fate_of_watched() == fate::freed_wiped);
        }
        SUBCASE("when another is assigned to it") {
            secret_string secret(provider_key);
            crypto::openssl_memory::watch(secret.reveal().data(), secret.size());
            secret = secret_string("another");
            CHECK(crypto::openssl_memory::fate_of_watched() == fate::freed_wiped);
        }
        SUBCASE("but not when it is moved from, since the new owner needs them") {
            secret_string secret(provider_key);
            crypto::openssl_memory::watch(secret.reveal().data(), secret.size());
            {
                const secret_string owner(std::move(secret));
                CHECK(crypto::openssl_memory::fate_of_watched() == fate::still_held);
            }
            CHECK(crypto::openssl_memory::fate_of_watched() == fate::freed_wiped);
        }
    }

    TEST_CASE("the masked form shows four characters of long secrets only") {
        struct row {
            std::string_view secret;
            std::string_view masked;
        };
        const row rows[] = {
            {"", "***"}, {"a", "***"}, {"abcdefghijk", "***"}, {"abcdefghijkl", "***ijkl"}, {provider_key, "***mnop"},
        };
        for (const row& r : rows) {
            CAPTURE(r.secret);
            CHECK(secret_string(r.secret).masked() == r.masked);
        }
    }
}
