#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/executor.hpp"
#include "gateway/base/fixed_text.hpp"
#include "gateway/base/timing_wheel.hpp"
#include "gateway/http/abort_signal.hpp"
#include "gateway/net/connection_pool.hpp"
#include "gateway/net/dialer.hpp"
#include "gateway/net/url.hpp"

#include <boost/beast/http/verb.hpp>
#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace concurred::net {

/// One call of a JSON API. The views outlive the call.
struct json_request {
    boost::beast::http::verb method = boost::beast::http::verb::post;
    std::string_view path{};     ///< below the path of the client's URL; begins with '/'; nothing in it needs escaping
    std::string_view headers{};  ///< further header lines, each with its CRLF: credentials
    std::string_view body{};     ///< JSON; empty: none
    std::chrono::milliseconds deadline{2'000};  ///< for all of it: connection, request and answer
    std::size_t most_bytes = 1'048'576;         ///< largest answer
    /// Sending it twice does no harm. Such a call may use a connection that is there, and is sent again when that turns
    /// out to be dead; any other has a connection of its own, so that a failure never leaves open what became of it
    /// just because the connection was old.
    bool repeatable = true;
};

/// What came back, whatever its status.
struct json_reply {
    unsigned status = 0;
    std::string body;
    base::fixed_text<128> content_type;
    base::fixed_text<64> cache_control;
    base::fixed_text<40> retry_after;
};

/// Calls a service that speaks JSON over HTTP/1.1: for what the gateway itself asks (key service, signing keys,
/// search), not for what it relays. Connections are kept and used again. Follows no redirects; takes no encodings.
/// Belongs to one shard. Must be idle when destroyed, and outlive the run of its executor's context.
class json_client {
public:
    struct params {
        base::executor executor;
        base::timing_wheel& wheel;  ///< outlives the client, as does the resolver
        net::resolver& resolver;
        url target;
        SSL_CTX* tls = nullptr;  ///< from `crypto::make_client_tls`, outlives the client; used if `target.tls`
        std::chrono::milliseconds connect_timeout{1'000};
        pool_params pool{.max_connections = 64, .max_waiters = 1'024};
    };

    explicit json_client(const params& p);
    json_client(const json_client&) = delete;
    json_client& operator=(const json_client&) = delete;

    /// Completes with the answer, of any status. Errors, none of which quotes what was sent or received:
    /// errc::upstream_timeout when the deadline is over; errc::service_unavailable when all connections are in use or
    /// after `stop`; errc::upstream_error for everything else. retry_class::safe: the service has not seen the request.
    [[nodiscard]] base::task<base::result<json_reply>> call(json_request request);

    /// Ends all calls and lets no new one begin. For the end of the process, and before the wheel stops.
    void stop() noexcept;

    [[nodiscard]] pool_counts counts() const noexcept { return pool_.counts(); }

private:
    struct flight : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
        flight(json_client& client, std::chrono::milliseconds deadline);
        [[nodiscard]] base::error explain(base::error e) const;

        std::chrono::milliseconds allowed;
        http::abort_signal abort;
        base::timing_wheel::timer timer;
        bool overdue = false;
    };

    [[nodiscard]] base::task<base::result<json_reply>> exchange(lease on, const json_request& request, flight& me);

    url target_;
    std::string after_path_;  // of each request's head
    base::timing_wheel& wheel_;
    std::unique_ptr<dialer> dialer_;
    connection_pool pool_;
    boost::intrusive::list<flight, boost::intrusive::constant_time_size<false>> flights_;
    bool stopped_ = false;
};

}  // namespace concurred::net
