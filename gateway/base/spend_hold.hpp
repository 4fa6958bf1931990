#pragma once

#include <cstdint>

namespace concurred::auth {
struct spend_state;
}

namespace concurred::base {

/// What a request holds of its key's limits in tokens, money and requests under way, until it ends. A plain value;
/// empty: nothing. Made and settled by auth/spend.hpp.
struct spend_hold {
    auth::spend_state* state = nullptr;
    std::uint64_t tokens = 0;
    std::uint64_t day_units = 0;
    std::uint64_t month_units = 0;
    std::uint16_t day = 0;
    std::uint16_t month = 0;
    bool counted = false;        ///< among the requests under way
    bool placed = false;         ///< Redis knows of it
    std::uint32_t replicas = 0;  ///< not 0: it is charged to this gateway's share of the limits too
};

}  // namespace concurred::base
