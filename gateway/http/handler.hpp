#pragma once

#include "gateway/http/exchange.hpp"
#include "gateway/http/response.hpp"

#include <cstdint>

namespace concurred::http {

/// Answers a request. A middleware is a handler that holds the next one. Errors come back as results; the outermost
/// handler turns them into answers.
class handler {
public:
    handler() = default;
    handler(const handler&) = delete;
    handler& operator=(const handler&) = delete;
    virtual ~handler() = default;

    [[nodiscard]] virtual base::task<base::result<response>> handle(exchange& x) = 0;
};

/// How the answer to a request ended, as the connection saw it.
struct transfer {
    unsigned status = 0;          ///< 0: no head was sent
    std::uint64_t bytes_in = 0;   ///< octets of head and body as received
    std::uint64_t bytes_out = 0;  ///< octets written
    bool complete = false;        ///< every octet of the answer was handed to the kernel
    base::steady_time ended;
};

/// The gateway as the server sees it.
class application {
public:
    application() = default;
    application(const application&) = delete;
    application& operator=(const application&) = delete;
    virtual ~application() = default;

    /// Fills what belongs to every exchange: id, arrival, settings. Called once the head is there.
    virtual void begin(exchange& x) noexcept = 0;
    /// Answers. Never fails: errors are answers.
    [[nodiscard]] virtual base::task<response> respond(exchange& x) = 0;
    /// The answer for a request that could not be read. `x` holds what is known of it.
    [[nodiscard]] virtual response refuse(exchange& x, const base::error& e) = 0;
    /// Every exchange ends here, once, after its body is destroyed.
    virtual void end(exchange& x, const transfer& t) noexcept = 0;
};

}  // namespace concurred::http
