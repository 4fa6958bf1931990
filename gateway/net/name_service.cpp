#include "gateway/net/name_service.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace concurred::net {

namespace {

using boost::asio::ip::tcp;

class system_names final : public name_service {
public:
    explicit system_names(base::executor ex) : resolver_(ex) {}

    void lookup(const std::string& host, answer done) override {
        // address_configured: do not ask for IPv6 addresses where there is no IPv6.
        resolver_.async_resolve(host, "", tcp::resolver::address_configured,
                                [done = std::move(done)](boost::system::error_code ec, const results& found) {
                                    address_list addresses;
                                    for (const auto& entry : found) {
                                        addresses.add(entry.endpoint().address());
                                    }
                                    if (!ec && addresses.empty()) {
                                        ec = boost::asio::error::host_not_found;
                                    }
                                    done(ec, addresses);
                                });
    }

private:
    using results = tcp::resolver::results_type;

    boost::asio::ip::basic_resolver<tcp, base::executor> resolver_;
};

}  // namespace

std::unique_ptr<name_service> make_system_names(base::executor ex) {
    return std::make_unique<system_names>(ex);
}

}  // namespace concurred::net
