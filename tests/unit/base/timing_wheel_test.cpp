#include "gateway/base/timing_wheel.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <vector>

using namespace concurred;
using namespace std::chrono_literals;
using base::timing_wheel;

namespace {

struct bell {
    bell(timing_wheel& wheel)
        : timer(
              wheel, [](void* self) { ++static_cast<bell*>(self)->rung; }, this) {}
    timing_wheel::timer timer;
    int rung = 0;
};

const base::steady_time start = base::steady_time() + 1h;

}  // namespace

TEST_SUITE("base/timing_wheel") {
    TEST_CASE("a deadline fires within a tick after it, and once") {
        timing_wheel wheel(start);
        bell a(wheel);
        a.timer.expires_at(start + 1050ms);
        wheel.advance(start + 1049ms);
        CHECK(a.rung == 0);
        wheel.advance(start + 1050ms + timing_wheel::tick);
        CHECK(a.rung == 1);
        wheel.advance(start + 1h);
        CHECK(a.rung == 1);
        CHECK(wheel.size() == 0);
    }

    TEST_CASE("a deadline moved later fires later; moved earlier, earlier; cleared, not at all") {
        timing_wheel wheel(start);
        bell later(wheel);
        bell earlier(wheel);
        bell cleared(wheel);
        for (bell* a : {&later, &earlier, &cleared}) {
            a->timer.expires_at(start + 2s);
        }
        later.timer.expires_at(start + 60s);
        earlier.timer.expires_at(start + 500ms);
        cleared.timer.clear();
        wheel.advance(start + 700ms);
        CHECK(earlier.rung == 1);
        for (auto t = start; t < start + 59s; t += 1s) {
            wheel.advance(t);
        }
        CHECK(later.rung == 0);
        wheel.advance(start + 60s + 2 * timing_wheel::tick);
        CHECK(later.rung == 1);
        CHECK(cleared.rung == 0);
    }

    TEST_CASE("an action may destroy other timers of the same moment") {
        timing_wheel wheel(start);
        struct owner {
            explicit owner(timing_wheel& w) : first(w, &fire, this), second(std::make_unique<bell>(w)) {}
            static void fire(void* self) { static_cast<owner*>(self)->second.reset(); }
            timing_wheel::timer first;
            std::unique_ptr<bell> second;
        } o(wheel);
        o.second->timer.expires_at(start + 1s);
        o.first.expires_at(start + 1s);
        wheel.advance(start + 2s);
        CHECK(o.second == nullptr);
        CHECK(wheel.size() == 0);
    }

    TEST_CASE("no deadline is early or late by more than a tick, whatever is moved around") {
        std::mt19937 random(7);
        timing_wheel wheel(start);
        struct tracked {
            tracked(timing_wheel& w) : timer(w, &fire, this) {}
            static void fire(void* self) {
                auto& t = *static_cast<tracked*>(self);
                t.wrong = t.wrong || *t.now < t.due || *t.now > t.due + 2 * timing_wheel::tick;
                t.due = base::steady_time::max();
            }
            timing_wheel::timer timer;
            base::steady_time due = base::steady_time::max();
            const base::steady_time* now = nullptr;
            bool wrong = false;
        };
        base::steady_time now = start;
        std::vector<std::unique_ptr<tracked>> all;
        for (int i = 0; i < 50; ++i) {
            all.push_back(std::make_unique<tracked>(wheel));
            all.back()->now = &now;
        }
        for (int step = 0; step < 20'000; ++step) {
            tracked& t = *all[random() % all.size()];
            if (random() % 5 == 0) {
                t.timer.clear();
                t.due = base::steady_time::max();
            } else {
                t.due = now + std::chrono::milliseconds(random() % 20'000);
                t.timer.expires_at(t.due);
            }
            now += std::chrono::milliseconds(random() % 100);
            wheel.advance(now);
        }
        for (const auto& t : all) {
            CHECK_FALSE(t->wrong);
        }
    }
}
