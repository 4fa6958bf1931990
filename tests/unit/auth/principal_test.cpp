#include "auth/principal.hpp"
#include "auth/key_state.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using std::chrono::milliseconds;

TEST_SUITE("auth/principal") {
    TEST_CASE("what cannot be kept whole is refused, never cut") {
        const std::string longest(base::max_id_length, 'a');
        const std::string too_long(base::max_id_length + 1, 'a');
        const std::string most_permissions(auth::max_permissions_length, 'p');
        const std::string too_many_permissions(auth::max_permissions_length + 1, 'p');
        struct row {
            const char* what;
            auth::principal_fields fields;
            bool accepted;
        };
        const row rows[] = {
            {"usual", {.owner = "o", .key_id = "k", .rate_limit = 60}, true},
            {"longest ids", {.owner = longest, .key_id = longest, .rate_limit = 60}, true},
            {"owner too long", {.owner = too_long, .key_id = "k", .rate_limit = 60}, false},
            {"key id too long", {.owner = "o", .key_id = too_long, .rate_limit = 60}, false},
            {"no owner", {.owner = "", .key_id = "k", .rate_limit = 60}, false},
            {"no key id", {.owner = "o", .key_id = "", .rate_limit = 60}, false},
            {"no limit", {.owner = "o", .key_id = "k", .rate_limit = 0}, false},
            {"no window", {.owner = "o", .key_id = "k", .rate_limit = 60, .rate_window = milliseconds{0}}, false},
            {"window before time",
             {.owner = "o", .key_id = "k", .rate_limit = 60, .rate_window = milliseconds{-1}},
             false},
            {"window without end",
             {.owner = "o", .key_id = "k", .rate_limit = 60, .rate_window = milliseconds::max()},
             false},
            {"all permissions that fit",
             {.owner = "o", .key_id = "k", .rate_limit = 60, .permissions = most_permissions},
             true},
            {"more", {.owner = "o", .key_id = "k", .rate_limit = 60, .permissions = too_many_permissions}, false},
        };
        auth::key_state state;
        for (const row& r : rows) {
            CAPTURE(r.what);
            const auto who = auth::make_principal(r.fields, state);
            REQUIRE(who.has_value() == r.accepted);
            if (who) {
                CHECK(who->owner == r.fields.owner);
                CHECK(who->key_id == r.fields.key_id);
                CHECK(who->state == &state);
                CHECK(who->limit == auth::gcra_limit(60, std::chrono::seconds{60}));
            }
        }
    }

    TEST_CASE("a key expires at its millisecond, and one without a date never") {
        auth::key_state state;
        auth::principal_fields fields{.owner = "o", .key_id = "k", .rate_limit = 1, .expires_ms = 1'758'000'000'123};
        const auto who = auth::make_principal(fields, state).value();
        const base::wall_time at{milliseconds{1'758'000'000'123}};
        CHECK_FALSE(who.expired(at - milliseconds{1}));
        CHECK(who.expired(at));
        fields.expires_ms = 0;
        CHECK_FALSE(auth::make_principal(fields, state).value().expired(at + std::chrono::hours{100'000}));
    }

    TEST_CASE("permissions are compared whole") {
        auth::key_state state;
        const auto who = auth::make_principal(
                             {.owner = "o", .key_id = "k", .rate_limit = 1, .permissions = "chat media.read"}, state)
                             .value();
        CHECK(who.has_permission("chat"));
        CHECK(who.has_permission("media.read"));
        CHECK_FALSE(who.has_permission("media"));
        CHECK_FALSE(who.has_permission("cha"));
        CHECK_FALSE(who.has_permission("chat media.read"));
        CHECK_FALSE(who.has_permission(""));
    }
}
