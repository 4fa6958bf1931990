#pragma once

#include "gateway/base/error.hpp"
#include "gateway/http/request_line.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace concurred::http {

struct field {
    std::string_view name;
    std::string_view value;  ///< without surrounding spaces and tabs
};

/// The head of a request. All views point into the bytes it was parsed from.
struct request_head : request_line {
    static constexpr std::size_t max_fields = 128;

    std::string_view path;   ///< without the query, still percent-encoded
    std::string_view query;  ///< without '?'
    std::string_view host;
    bool keep_alive = true;
    bool chunked = false;
    bool expect_continue = false;
    std::optional<std::uint64_t> content_length;

    [[nodiscard]] std::span<const field> fields() const noexcept { return {fields_.data(), count_}; }
    /// Value of the first field of that name (case-insensitive); empty when absent.
    [[nodiscard]] std::string_view find(std::string_view name) const noexcept;
    /// Whether the request has a body to read.
    [[nodiscard]] bool has_body() const noexcept { return chunked || content_length.value_or(0) != 0; }

    void clear() noexcept;
    /// False when full.
    bool add(field f) noexcept;

private:
    std::size_t count_ = 0;
    std::array<field, max_fields> fields_;
};

/// Case-insensitive comparison of ASCII text.
[[nodiscard]] bool iequals(std::string_view a, std::string_view b) noexcept;

/// Watches the bytes of a head as they come in and finds its end; each byte is looked at once, however slowly they
/// come.
class head_scanner {
public:
    enum class status { need_more, complete };

    /// `bytes`: everything received since the start of the head; it may have moved in memory since the last call.
    /// Errors: as soon as they can be known (bad request line, bare CR or LF, limits), not only at the end.
    [[nodiscard]] base::result<status> scan(std::string_view bytes, const head_limits& limits);

    /// After `complete`: size of the head with its empty line.
    [[nodiscard]] std::size_t size() const noexcept { return scanned_; }
    void reset() noexcept { *this = {}; }

private:
    std::size_t scanned_ = 0;   // bytes in complete lines
    std::size_t searched_ = 0;  // bytes looked at
    std::size_t lines_ = 0;
};

/// Parses a complete head strictly: RFC 9112 without its leniencies (no obs-fold, no bare LF, one Host, one length).
/// Whatever two parsers could read differently is an error. Sources: RFC 9110, RFC 9112; what Beast 1.81 lets through.
[[nodiscard]] base::result<void> parse_request_head(std::string_view bytes, const head_limits& limits,
                                                    request_head& head);

}  // namespace concurred::http
