#pragma once

#include <boost/asio/ip/address.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace concurred::net {

/// The addresses of a host, in the order in which to try them. A name with more addresses loses the last ones: nobody
/// waits for a ninth attempt.
class address_list {
public:
    static constexpr std::size_t most = 8;

    /// Drops `address` when full.
    void add(const boost::asio::ip::address& address) noexcept {
        if (size_ < most) {
            addresses_[size_++] = address;
        }
    }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::span<const boost::asio::ip::address> view() const noexcept { return {addresses_.data(), size_}; }

private:
    std::size_t size_ = 0;
    std::array<boost::asio::ip::address, most> addresses_;
};

}  // namespace concurred::net
