#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace concurred::base {

/// An IPv6 address, or an IPv4 address mapped into it, as people write it. In place, without an allocation.
class address_text {
public:
    explicit address_text(const std::array<std::uint8_t, 16>& address) noexcept {
        constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        const bool v4 = std::equal(mapped.begin(), mapped.end(), address.begin());
        text_[0] = '\0';
        ::inet_ntop(v4 ? AF_INET : AF_INET6, address.data() + (v4 ? mapped.size() : 0), text_.data(),
                    static_cast<::socklen_t>(text_.size()));
    }
    [[nodiscard]] std::string_view view() const noexcept { return text_.data(); }

private:
    std::array<char, INET6_ADDRSTRLEN> text_;
};

}  // namespace concurred::base
