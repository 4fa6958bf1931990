#pragma once

#include "bench/mock.hpp"
#include "bench/mock_answer_cache.hpp"
#include "bench/mock_ledger.hpp"
#include "bench/mock_request.hpp"
#include "bench/mock_template.hpp"

#include <ctime>
#include <string>
#include <string_view>

namespace concurred::bench {

/// What a connection does with a request.
struct mock_response {
    mock_answer_lease answer;  ///< play this; if empty, `text` is the whole answer
    std::string text;
    bool counted = false;  ///< a request in the ledger's sense, not a control request
    std::uint64_t number = 0;
};

/// Turns requests into answers: routes, checks the key, counts, and finds the prebuilt answer. One per thread; no I/O.
class mock_responder {
public:
    /// \param options and \param board outlive it \param ledger this thread's part of the board
    /// \param base_url `http://HOST:PORT` of this server
    mock_responder(const mock_options& options, mock_board& board, mock_ledger& ledger, std::string base_url);

    /// The answer to `request`. \param now the time for dates
    [[nodiscard]] mock_response respond(const mock_request& request, std::time_t now);

    /// The whole answer to bytes that are no request. \param status of the refusal
    [[nodiscard]] std::string refuse(unsigned status, std::time_t now);

    /// Number and time of the request answered last.
    [[nodiscard]] const mock_stamp& stamp() const noexcept { return stamp_; }
    [[nodiscard]] mock_ledger& ledger() noexcept { return ledger_; }

private:
    [[nodiscard]] std::string direct(const mock_dialect& dialect, const mock_request& request);
    [[nodiscard]] std::string failure(const mock_dialect& dialect, const mock_failure& failure, bool close) const;
    void chat(const mock_dialect& dialect, const mock_request& request, mock_response& response);
    void set_time(std::time_t now);

    const mock_options& options_;
    mock_board& board_;
    mock_ledger& ledger_;
    mock_answer_cache cache_;
    mock_stamp stamp_;
    std::time_t stamped_ = 0;
    std::uint64_t epoch_ = 0;
};

}  // namespace concurred::bench
