#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/executor.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace concurred::http {

/// A piece of a body. `bytes` stay valid until the next call on the source.
struct chunk {
    std::string_view bytes;
    bool last = false;  ///< nothing follows; `bytes` may be empty then
};

/// A body that is pulled. Destroying it before its last chunk abandons it: whatever it holds is closed, returned and
/// accounted for, without waiting.
class body_source {
public:
    body_source() = default;
    body_source(const body_source&) = delete;
    body_source& operator=(const body_source&) = delete;
    virtual ~body_source() = default;

    /// Bytes of the whole body, when known before it is read.
    [[nodiscard]] virtual std::optional<std::uint64_t> length() const noexcept { return std::nullopt; }

    /// A chunk that is there already; saves the coroutine of `next`.
    [[nodiscard]] virtual std::optional<chunk> try_next() { return std::nullopt; }

    /// Completes with the next chunk, as soon as there is any data. An error means that the body ends here, incomplete;
    /// no call may follow it.
    [[nodiscard]] virtual base::task<base::result<chunk>> next() = 0;
};

}  // namespace concurred::http
