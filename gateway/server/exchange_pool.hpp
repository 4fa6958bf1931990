#pragma once

#include "gateway/http/exchange.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace concurred::server {

/// Exchanges for reuse: a connection holds one only while it works on a request. Belongs to one shard.
class exchange_pool {
public:
    struct give_back {
        exchange_pool* pool;
        void operator()(http::exchange* x) const noexcept {
            x->clear();
            if (pool->free_.size() < pool->keep_) {
                pool->free_.emplace_back(x);
            } else {
                delete x;
            }
        }
    };
    using slot = std::unique_ptr<http::exchange, give_back>;

    explicit exchange_pool(std::size_t keep = 256) : keep_(keep) { free_.reserve(keep); }

    [[nodiscard]] slot take() {
        if (free_.empty()) {
            return slot(new http::exchange, {this});
        }
        slot taken(free_.back().release(), {this});
        free_.pop_back();
        return taken;
    }

private:
    std::size_t keep_;
    std::vector<std::unique_ptr<http::exchange>> free_;
};

}  // namespace concurred::server
