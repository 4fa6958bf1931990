#include "gateway/net/wheel_driver.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace concurred;
using namespace std::chrono_literals;

namespace {

struct probe {
    int fired = 0;
    net::wheel_driver* driver = nullptr;

    static void run(void* self) {
        auto& p = *static_cast<probe*>(self);
        ++p.fired;
        p.driver->stop();
    }
};

}  // namespace

TEST_SUITE("net/wheel_driver") {
    TEST_CASE("deadlines come due while it runs, and it can be stopped and started from one") {
        boost::asio::io_context io{1};
        base::timing_wheel wheel(std::chrono::steady_clock::now());
        net::wheel_driver driver(io.get_executor(), wheel);
        probe p{.driver = &driver};
        base::timing_wheel::timer timer(wheel, &probe::run, &p);

        for (int round = 1; round <= 2; ++round) {
            const auto deadline = std::chrono::steady_clock::now() + 50ms;
            timer.expires_at(deadline);
            driver.start();
            driver.start();
            io.restart();
            io.run_for(10s);
            CHECK(p.fired == round);
            CHECK(std::chrono::steady_clock::now() >= deadline);
            CHECK(io.stopped());
        }
    }
}
