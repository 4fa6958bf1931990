#include "gateway/net/resolver.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <chrono>

namespace concurred::net {

namespace {

using base::errc;
using base::result;
using clock = std::chrono::steady_clock;

// Names come from the configuration, so this is never reached unless name servers hang and callers keep coming.
constexpr std::size_t most_lookups = 256;

base::error unknown_name(boost::system::error_code ec) {
    return base::upstream_error(errc::upstream_error, "The provider's host name could not be resolved.",
                                base::retry_class::safe, ec);
}

base::error given_up() {
    return base::gateway_error(errc::internal, "A name lookup was given up.", boost::asio::error::operation_aborted);
}

}  // namespace

resolver::resolver(base::executor ex, std::unique_ptr<name_service> names, const name_cache_limits& limits)
    : executor_(ex), names_(std::move(names)), cache_(limits) {}

resolver::~resolver() = default;

std::optional<address_list> resolver::last_known(std::string_view host) const {
    return cache_.stale(host, clock::now());
}

// The answer that needs no lookup.
std::optional<result<address_list>> resolver::known(std::string_view host) {
    address_list addresses;
    boost::system::error_code ec;
    const auto literal = boost::asio::ip::make_address(host, ec);
    if (!ec) {
        addresses.add(literal);
        return addresses;
    }
    switch (cache_.find(host, clock::now(), addresses)) {
        case name_cache::verdict::known:
            return addresses;
        case name_cache::verdict::failed:
            return unknown_name(boost::asio::error::host_not_found);
        case name_cache::verdict::ask:
            break;
    }
    return std::nullopt;
}

// Puts the question to the lookup of its name, and starts that if there is none. False: there are too many.
bool resolver::join(question& q) {
    auto which = std::find_if(flights_.begin(), flights_.end(), [&](const flight& f) { return f.host == q.host_; });
    if (which != flights_.end()) {
        which->waiting.push_back(q);
        return true;
    }
    if (flights_.size() >= most_lookups) {
        return false;
    }
    which = flights_.emplace(flights_.end());
    which->host = q.host_;
    which->waiting.push_back(q);
    names_->lookup(which->host, [this, which](boost::system::error_code ec, const address_list& addresses) {
        landed(which, ec, addresses);
    });
    return true;
}

void resolver::landed(std::list<flight>::iterator which, boost::system::error_code ec, const address_list& addresses) {
    const base::steady_time now = clock::now();
    result<address_list> answer = addresses;
    if (ec) {
        cache_.store_failure(which->host, now);
        const auto old = cache_.stale(which->host, now);
        answer = old ? result<address_list>(*old) : unknown_name(ec);
    } else {
        cache_.store(which->host, addresses, now);
    }
    while (!which->waiting.empty()) {
        question& q = which->waiting.front();
        which->waiting.pop_front();
        q.answer_ = answer;
        q.bell_.ring();
    }
    flights_.erase(which);
}

base::task<result<address_list>> resolver::question::ask() {
    answer_ = names_.known(host_);
    if (answer_) {
        co_return std::move(*answer_);
    }
    if (!names_.join(*this)) {
        co_return base::gateway_error(errc::service_unavailable, "Too many host names are being looked up.");
    }
    if (!bell_.take()) {
        co_await bell_.wait();
    }
    unlink();
    if (!answer_) {
        co_return given_up();
    }
    co_return std::move(*answer_);
}

void resolver::question::cancel() {
    bell_.ring();
}

}  // namespace concurred::net
