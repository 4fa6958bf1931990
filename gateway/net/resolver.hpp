#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/event.hpp"
#include "gateway/base/executor.hpp"
#include "gateway/net/name_cache.hpp"
#include "gateway/net/name_service.hpp"

#include <boost/intrusive/list.hpp>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::net {

/// Addresses of upstreams. Remembers answers, asks once for all who want to know the same, and lives with the last good
/// answer while the name servers are down. Belongs to one shard. Must outlive the run of its executor's context.
class resolver {
public:
    explicit resolver(base::executor ex) : resolver(ex, make_system_names(ex)) {}
    resolver(base::executor ex, std::unique_ptr<name_service> names, const name_cache_limits& limits = {});
    ~resolver();
    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;

    /// One caller's question. It can be given up at any time: by `cancel`, or by destroying it.
    class question
        : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    public:
        /// @param host a name, or an IP address, which is its own answer; must outlive the question
        question(resolver& names, std::string_view host) : names_(names), host_(host), bell_(names.executor_) {}
        question(const question&) = delete;
        question& operator=(const question&) = delete;

        /// Completes with at least one address. Errors: errc::upstream_error, to be retried at will; errc::internal
        /// with operation_aborted after `cancel`.
        [[nodiscard]] base::task<base::result<address_list>> ask();

        /// Ends a pending `ask` within this turn; else the next one.
        void cancel();

    private:
        friend class resolver;

        resolver& names_;
        std::string_view host_;
        base::event bell_;
        std::optional<base::result<address_list>> answer_;
    };

    /// The last known addresses, if they may still be used: for a caller who cannot wait for fresh ones.
    [[nodiscard]] std::optional<address_list> last_known(std::string_view host) const;

    /// Lookups that are under way.
    [[nodiscard]] std::size_t lookups() const noexcept { return flights_.size(); }

private:
    using questions = boost::intrusive::list<question, boost::intrusive::constant_time_size<false>>;

    struct flight {
        std::string host;
        questions waiting;
    };

    [[nodiscard]] std::optional<base::result<address_list>> known(std::string_view host);
    [[nodiscard]] bool join(question& q);
    void landed(std::list<flight>::iterator which, boost::system::error_code ec, const address_list& addresses);

    base::executor executor_;
    std::unique_ptr<name_service> names_;
    name_cache cache_;
    std::list<flight> flights_;
};

}  // namespace concurred::net
