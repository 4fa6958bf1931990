#pragma once

#include "bench/mock_ledger.hpp"
#include "bench/mock_request.hpp"
#include "bench/mock_template.hpp"

#include <string>

namespace concurred::bench {

/// Whether a request is for the mock provider itself: its path begins with `/mock/`.
[[nodiscard]] bool is_mock_control(const mock_request& request) noexcept;

/// The whole answer to a control request: `GET /mock/ledger`, `GET /mock/requests/last`, `GET /mock/requests/<n>`,
/// `POST /mock/reset`, and the target of redirects.
[[nodiscard]] std::string answer_mock_control(const mock_request& request, mock_board& board, mock_ledger& ledger,
                                              const mock_stamp& stamp);

}  // namespace concurred::bench
