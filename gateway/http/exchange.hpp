#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/config.hpp"
#include "gateway/base/fixed_text.hpp"
#include "gateway/base/spend_hold.hpp"
#include "gateway/base/text_buffer.hpp"
#include "gateway/base/usage_record.hpp"
#include "gateway/http/abort_signal.hpp"
#include "gateway/http/body_source.hpp"
#include "gateway/http/error_body.hpp"
#include "gateway/http/request_head.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace concurred::auth {
class principal;
struct owed_request;
struct spend_state;
}  // namespace concurred::auth
namespace concurred::pipeline {
struct endpoint;
}
namespace concurred::upstream {
struct model_price;
}

namespace concurred::http {

/// The body of the request, read when a handler asks for it: after the checks that need only the head.
class request_body {
public:
    virtual ~request_body() = default;
    /// The whole body, if all of it is here already.
    [[nodiscard]] virtual std::optional<std::string_view> ready() noexcept = 0;
    /// Completes with the whole body; it stays valid until the exchange ends or `release`. Sends 100 Continue where the
    /// client waits for it. Errors: payload_too_large, request_timeout, bad_request, client_gone.
    [[nodiscard]] virtual base::task<base::result<std::string_view>> read() = 0;
    /// The body is not needed any more.
    virtual void release() noexcept = 0;
};

/// Address of the client: IPv6, or IPv4 mapped into it.
struct client_address {
    std::array<std::uint8_t, 16> bytes{};
    std::uint16_t port = 0;
};

/// Where the time of a request went. Default-constructed: that point was not reached.
struct milestones {
    base::steady_time arrived;  ///< the head was complete
    base::steady_time authenticated;
    base::steady_time limited;
    base::steady_time routed;       ///< body read, model resolved
    base::steady_time connected;    ///< upstream connection in hand
    base::steady_time first_byte;   ///< first byte of the upstream's answer
    base::steady_time first_token;  ///< first content
};

/// One request on its way through the gateway, with the slots that the middlewares fill. Owned by the session and
/// reused for the next request of its connection. Belongs to one shard.
struct exchange {
    request_head head;
    request_body* body = nullptr;
    client_address client;
    base::wall_time arrived_at;
    milestones times;
    abort_signal abort;
    const base::config* settings = nullptr;  ///< the snapshot this request began with

    base::fixed_text<64> request_id;
    std::string_view route = "";       ///< template of the matched route, e.g. "/api/v1/models/:id"; static text
    api_form form = api_form::openai;  ///< of the answer, errors too
    const pipeline::endpoint* endpoint = nullptr;  ///< what serves it; null: nothing does
    /// Who asks. Valid only until the handler first waits: what is needed later is in `usage`. Null: not authenticated.
    const auth::principal* principal = nullptr;
    base::text_buffer<1536> headers;  ///< header fields of the answer, each line complete

    unsigned retries = 0;                ///< repeated attempts
    base::fixed_text<96> fallback_from;  ///< the model that should have answered; empty: it did, or nobody
    auth::spend_state* spend = nullptr;  ///< of the key's limits besides requests; null: it has none
    base::spend_hold hold;               ///< what it holds of them
    /// Its unit of the limits of requests, to be taken together with `hold`. Null: it is taken. Valid while handlers
    /// run.
    const auth::owed_request* owed = nullptr;

    const upstream::model_price* price = nullptr;  ///< of the model that serves it; null: not known
    bool admitted = false;                         ///< a usage record is due
    bool dispatched = false;                       ///< a provider was, or is about to be, asked
    base::usage_record usage;

    /// Makes it ready for the next request.
    void clear() noexcept {
        head.clear();
        body = nullptr;
        times = {};
        abort.reset();
        settings = nullptr;
        request_id = std::string_view();
        route = "";
        form = api_form::openai;
        endpoint = nullptr;
        principal = nullptr;
        headers.clear();
        retries = 0;
        fallback_from = std::string_view();
        spend = nullptr;
        hold = {};
        owed = nullptr;
        price = nullptr;
        admitted = false;
        dispatched = false;
        usage = {};
    }
};

}  // namespace concurred::http
