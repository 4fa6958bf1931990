#pragma once

#include "gateway/http/handler.hpp"
#include "gateway/pipeline/cross_site.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace concurred::pipeline {

/// Which credentials a route takes.
enum class access : std::uint8_t {
    open,     ///< none; never looks at credentials
    key,      ///< an API key; a session cookie is not looked at
    session,  ///< the dashboard's session; an API key is refused
    either,   ///< an API key, or without one the session
};

/// A route and what serves it.
struct endpoint {
    http::verb method;
    /// Template. ":id" stands for one segment; a last segment ":id" of a route with `rest` takes all that follows,
    /// slashes included.
    std::string_view path;
    access credentials = access::key;
    http::handler* handler = nullptr;
    std::uint8_t limit_class = 0;  ///< row of the rate limiter's table; set by `chain`
    bool rest = false;             ///< see `path`
    http::api_form form = http::api_form::openai;
    /// A part of the query between '&', e.g. "verbose=1": the endpoint is for requests with it. Stands before the one
    /// without. Empty: any query will do.
    std::string_view query{};
    bool asks_provider = false;  ///< it spends tokens and money; set by `chain`
};

/// The part of the path that ":id" stands for.
[[nodiscard]] std::string_view path_parameter(const endpoint& e, std::string_view path) noexcept;

/// Finds the endpoint for method and path, and answers what needs none: OPTIONS, 404, 405. The table is closed: what is
/// not in it does not exist.
class router final : public http::handler {
public:
    /// @param origins whose pages may read answers; null: nobody's but the gateway's own. Outlives the router.
    router(std::vector<endpoint> table, const origin_rules* origins, http::handler& next)
        : table_(std::move(table)), origins_(origins), next_(next) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

    [[nodiscard]] std::span<endpoint> table() noexcept { return table_; }

private:
    [[nodiscard]] base::result<http::response> without_endpoint(http::exchange& x) const;

    std::vector<endpoint> table_;
    const origin_rules* origins_;
    http::handler& next_;
};

}  // namespace concurred::pipeline
