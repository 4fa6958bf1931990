#pragma once

#include "gateway/net/response_parser.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::net::test {

/// What a parser made of some bytes.
struct parsed {
    bool failed = false;
    bool head = false;
    bool finished = false;  ///< within the bytes
    bool complete = false;  ///< with the end of the connection behind them
    bool keep_alive = false;
    unsigned status = 0;
    std::string payload{};
    std::string rest{};  ///< octets behind the answer

    friend bool operator==(const parsed&, const parsed&) = default;
};

/// Gives `wire` to `parser` in pieces that end at the positions of `cuts`, as a connection would: what is not consumed
/// is given again. The payload is decoded in place, in memory that ends where the input ends.
inline parsed parse(response_parser& parser, std::string_view wire, const std::vector<std::size_t>& cuts = {}) {
    parsed p;
    std::string pending;
    std::size_t from = 0;
    for (std::size_t i = 0; i <= cuts.size() && !p.failed; ++i) {
        const std::size_t to = i < cuts.size() ? std::min(cuts[i], wire.size()) : wire.size();
        pending.append(wire.substr(from, to - from));
        from = to;
        const auto block = std::make_unique<char[]>(pending.size());
        std::memcpy(block.get(), pending.data(), pending.size());
        const auto done = parser.feed({block.get(), pending.size()}, block.get());
        if (!done) {
            p.failed = true;
            break;
        }
        p.payload.append(block.get(), done->produced);
        pending.erase(0, done->consumed);
        p.head = done->head_complete;
        p.finished = done->finished;
    }
    if (p.failed) {
        parsed failure;
        failure.failed = true;
        return failure;
    }
    if (p.head) {
        p.status = parser.status();
        p.keep_alive = parser.keep_alive();
    }
    if (p.finished) {
        p.rest = pending;
    }
    p.complete = parser.finish_at_eof();
    return p;
}

}  // namespace concurred::net::test
