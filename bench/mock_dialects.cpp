#include "bench/mock_dialect.hpp"

#include <array>

namespace concurred::bench {

std::span<const mock_dialect* const> mock_dialects() noexcept {
    static const std::array<const mock_dialect*, 1> table{&openai_mock_dialect()};
    return table;
}

}  // namespace concurred::bench
