#include "auth/limits.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using namespace concurred::auth;
using std::chrono::seconds;

namespace {

constexpr std::int64_t now = 1'000'000'000;
constexpr std::int64_t second = 1'000'000;

struct caller {
    explicit caller(std::uint32_t rate_limit)
        : who(make_principal({.owner = "o", .key_id = "k", .rate_limit = rate_limit}, state).value()) {}

    std::uint32_t left() const { return would_acquire(state.tat, who.limit, now, 0).remaining; }

    key_state state;
    principal who;
};

/// Requests that pass at one moment.
int burst(const rate_limiter& limiter, const caller& c, std::string_view route, std::int64_t at = now) {
    int admitted = 0;
    while (admitted < 5'000 && limiter.admit(c.who, limiter.class_of(route), at).allowed) {
        ++admitted;
    }
    return admitted;
}

}  // namespace

TEST_SUITE("auth/limits") {
    TEST_CASE("the published limits are the defaults") {
        // public-api.md 4.
        struct row {
            std::string_view route;
            std::uint32_t limit;
            seconds window;
        };
        const rate_limiter limiter = rate_limiter::make({}).value();
        for (const row& r :
             {row{"/api/v1/chat/completions", 60, seconds{60}}, row{"/api/v1/media/*", 60, seconds{60}},
              row{"/api/v1/media/speech", 60, seconds{60}}, row{"/api/v1/vision", 60, seconds{60}},
              row{"/api/v1/fashion/run", 30, seconds{60}}, row{"/api/v1/fashion/subscribe", 30, seconds{60}},
              row{"/api/v1/fashion/status/:id", 40, seconds{10}}, row{"/api/chat", 10, seconds{60}},
              row{"/api/v1/battle", 10, seconds{60}}, row{"/api/v1/fight", 10, seconds{60}},
              row{"/api/v1/models", 60, seconds{60}}, row{"/api/v1/search", 60, seconds{60}}}) {
            CAPTURE(r.route);
            CHECK(limiter.limit_of(limiter.class_of(r.route)) == gcra_limit(r.limit, r.window));
        }
    }

    TEST_CASE("the tighter of key and path applies; a key above 60 brings its own limit to every path") {
        struct row {
            std::uint32_t key;
            std::string_view route;
            int admitted;
        };
        const rate_limiter limiter = rate_limiter::make({}).value();
        for (const row& r : {
                 row{60, "/api/v1/chat/completions", 60},
                 row{5, "/api/v1/chat/completions", 5},
                 row{61, "/api/v1/chat/completions", 61},
                 row{1'000, "/api/v1/chat/completions", 1'000},
                 row{60, "/api/chat", 10},
                 row{10, "/api/chat", 10},
                 row{5, "/api/chat", 5},
                 row{61, "/api/chat", 61},
                 row{60, "/api/v1/fashion/status/:id", 40},
                 row{30, "/api/v1/fashion/status/:id", 30},
                 row{100, "/api/v1/fashion/status/:id", 100},
                 row{60, "/api/v1/models", 60},
             }) {
            CAPTURE(r.key);
            CAPTURE(r.route);
            CHECK(burst(limiter, caller(r.key), r.route) == r.admitted);
        }
    }

    TEST_CASE("configuration replaces known limits and adds routes") {
        base::limits_config config;
        config.paths = {{"/api/chat", 20}, {"/api/v1/search", 6}, {"/api/v1/fashion/status/:id", 12}};
        const rate_limiter limiter = rate_limiter::make(config).value();
        CHECK(burst(limiter, caller(60), "/api/chat") == 20);
        CHECK(burst(limiter, caller(60), "/api/v1/search") == 6);
        CHECK(burst(limiter, caller(60), "/api/v1/battle") == 10);
        CHECK(limiter.limit_of(limiter.class_of("/api/v1/fashion/status/:id")) == gcra_limit(12, seconds{60}));
        CHECK(limiter.limit_of(limiter.class_of("/api/v1/models")) == gcra_limit(60, seconds{60}));
    }

    TEST_CASE("configuration that cannot be kept is refused") {
        base::limits_config config;
        config.paths = {{"/api/chat", 0}};
        CHECK(rate_limiter::make(config).has_error());
        config.paths.clear();
        for (int i = 0; i < 40; ++i) {
            config.paths["/api/v1/route" + std::to_string(i)] = 5;
        }
        CHECK(rate_limiter::make(config).has_error());
    }

    TEST_CASE("the longest pattern above a route names its class") {
        base::limits_config config;
        config.paths = {{"/api/v1/media/video/*", 3}, {"/api/v1/media/video/query", 9}};
        const rate_limiter limiter = rate_limiter::make(config).value();
        CHECK(limiter.limit_of(limiter.class_of("/api/v1/media/video/new")).limit == 3);
        CHECK(limiter.limit_of(limiter.class_of("/api/v1/media/video/query")).limit == 9);
        CHECK(limiter.limit_of(limiter.class_of("/api/v1/media/speech")).limit == 60);
        CHECK(limiter.class_of("/api/v1/mediator") == limiter.class_of("/api/v1/models"));
    }

    TEST_CASE("a request that the path denies takes nothing from the key, and the other way round") {
        const rate_limiter limiter = rate_limiter::make({}).value();
        const path_class chat = limiter.class_of("/api/chat");
        const caller c(60);
        CHECK(burst(limiter, c, "/api/chat") == 10);
        CHECK(c.left() == 50);
        const limit_decision by_path = limiter.admit(c.who, chat, now);
        CHECK_FALSE(by_path.allowed);
        CHECK(by_path.limit == 10);
        CHECK(by_path.retry_after == seconds{6});
        CHECK(c.left() == 50);

        CHECK(burst(limiter, c, "/api/v1/models") == 50);
        const path_class run = limiter.class_of("/api/v1/fashion/run");
        CHECK_FALSE(limiter.admit(c.who, run, now).allowed);
        // One unit of the key is back, and all 30 of the path are still there.
        CHECK(limiter.admit(c.who, run, now + second).allowed);
        CHECK(would_acquire(*c.who.state->path_cell(static_cast<std::size_t>(run)), limiter.limit_of(run), now + second,
                            0)
                  .remaining == 29);
    }

    TEST_CASE("the limit with less left is the one reported, and of two that deny the one to wait longer for") {
        const rate_limiter limiter = rate_limiter::make({}).value();
        const path_class chat = limiter.class_of("/api/chat");
        const caller c(12);
        limit_decision decision = limiter.admit(c.who, chat, now);
        CHECK(decision.limit == 10);
        CHECK(decision.remaining == 9);
        for (int i = 0; i < 5; ++i) {
            CHECK(limiter.admit(c.who, limiter.class_of("/api/v1/models"), now).limit == 12);
        }
        decision = limiter.admit(c.who, chat, now);
        CHECK(decision.limit == 12);  // 5 left of the key, 8 of the path
        CHECK(decision.remaining == 5);

        const caller both(12);
        CHECK(burst(limiter, both, "/api/chat") == 10);
        CHECK(burst(limiter, both, "/api/v1/models") == 2);
        decision = limiter.admit(both.who, chat, now);
        CHECK_FALSE(decision.allowed);
        CHECK(decision.limit == 10);  // 6 s against the key's 5 s
        CHECK(decision.retry_after == seconds{6});
    }

    TEST_CASE("a refund goes to both limits") {
        const rate_limiter limiter = rate_limiter::make({}).value();
        const path_class chat = limiter.class_of("/api/chat");
        const caller c(60);
        CHECK(burst(limiter, c, "/api/chat") == 10);
        limiter.refund(c.who, chat, now);
        CHECK(c.left() == 51);
        CHECK(limiter.admit(c.who, chat, now).allowed);
        CHECK_FALSE(limiter.admit(c.who, chat, now).allowed);
    }

    TEST_CASE("a key whose own limit is tighter never gets path cells: what it is told is the same with and without") {
        // 20 per minute against the path's 60: whatever happened, the path has more left.
        const rate_limiter limiter = rate_limiter::make({}).value();
        const path_class completions = limiter.class_of("/api/v1/chat/completions");
        const caller c(20);
        for (int i = 0; i < 100; ++i) {
            CHECK(limiter.admit(c.who, completions, now + i * second).limit == 20);
        }
    }
}
