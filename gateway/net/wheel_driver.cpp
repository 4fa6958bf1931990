#include "gateway/net/wheel_driver.hpp"

namespace concurred::net {

void wheel_driver::start() {
    if (!running_) {
        running_ = true;
        arm();
    }
}

void wheel_driver::stop() noexcept {
    running_ = false;
    timer_.cancel();
}

void wheel_driver::arm() {
    timer_.expires_after(base::timing_wheel::tick);
    timer_.async_wait([this](boost::system::error_code ec) {
        if (ec || !running_) {
            return;
        }
        wheel_.advance(std::chrono::steady_clock::now());
        if (running_) {
            arm();
        }
    });
}

}  // namespace concurred::net
