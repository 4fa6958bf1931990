#pragma once

#include "bench/mock_dialect.hpp"
#include "bench/mock_pace.hpp"
#include "bench/mock_settings.hpp"
#include "bench/mock_template.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::bench {

/// What tells one answer from another under the same settings and model.
struct mock_order {
    std::uint32_t prompt_tokens = 0;
    std::uint32_t max_tokens = mock_settings::never;
    std::uint64_t shape = 0;  ///< of the call
    mock_thoughts thoughts = mock_thoughts::hidden;
    bool stream = false;
    bool include_usage = false;
    bool after_tool = false;  ///< the conversation ends with a tool's result
    bool close = false;       ///< the connection ends with this answer
    bool http_1_0 = false;    ///< no chunked coding: the end of the connection ends a stream

    friend bool operator==(const mock_order&, const mock_order&) = default;
};

/// How the body of an answer is delimited.
enum class mock_framing { length, chunked, until_close };

/// One prebuilt answer: all its bytes but number and time. Never changed while in use.
struct mock_answer {
    mock_order order;
    const mock_settings* settings = nullptr;  ///< outlives the answer
    mock_framing framing = mock_framing::length;
    bool stream = false;       ///< the body is the events below, not `body`
    bool close = false;        ///< close the connection afterwards
    bool short_body = false;   ///< the head promises more bytes than the body has
    std::uint32_t tokens = 0;  ///< tokens of a plain answer
    mock_template head;        ///< with interim answers; up to and with the blank line
    mock_template body;        ///< of a plain answer
    std::vector<mock_template> opening;
    std::vector<mock_template> scripted;
    std::vector<std::uint32_t> scripted_tokens;  ///< tokens before each of them, and of all as the last
    std::vector<mock_template> closing;
    mock_template before_piece;
    mock_template after_piece;
    std::uint32_t pieces = 0;  ///< generated tokens of a stream
    std::uint64_t count_from = 0;
    std::uint64_t total_from = 0;
    const mock_trace* trace = nullptr;
    mock_template end_mark;
    mock_template error_event;
    std::string extra;        ///< bytes after the end of the answer
    std::uint32_t users = 0;  ///< scripts that read it now

    /// The text of generated token `index`, as JSON text with escapes.
    [[nodiscard]] std::string_view piece(std::uint32_t index) const noexcept;

    std::string text;                 ///< what the pieces are cut from
    std::vector<std::uint32_t> cuts;  ///< ends of the pieces in `text`; empty: filler, cut by arithmetic
    std::string first_piece;          ///< the first piece, where it is not as the others
};

/// What all answers of one kind of request share. Outlives them.
struct mock_source {
    const mock_dialect* dialect = nullptr;
    const mock_settings* settings = nullptr;
    const mock_trace* trace = nullptr;  ///< of `settings.trace`
    std::string_view model;             ///< as JSON text
    std::string_view base_url;          ///< `http://HOST:PORT` of this server, for redirects
};

/// Builds the answer to one request.
/// \param echo the last user text, as JSON text; only read if settings ask for it
[[nodiscard]] std::unique_ptr<mock_answer> make_mock_answer(const mock_source& source, const mock_order& order,
                                                            std::string_view echo);

}  // namespace concurred::bench
