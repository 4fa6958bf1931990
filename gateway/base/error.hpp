#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace concurred::base {

/// What went wrong, in the product's vocabulary. Each maps to one HTTP status, one code and one type: `traits_of`.
enum class errc {
    bad_request,             ///< malformed request: syntax, framing, a field out of range
    missing_required_field,  ///< a required body field is absent
    invalid_model,           ///< the model or alias is not known
    unauthorized,            ///< no usable credential
    invalid_api_key,         ///< key unknown, disabled, expired or revoked
    forbidden,               ///< authenticated, but not allowed
    not_found,
    method_not_allowed,
    request_timeout,  ///< the client was too slow to send its request
    conflict,
    payload_too_large,
    uri_too_long,
    unsupported_media_type,
    expectation_failed,
    header_fields_too_large,
    rate_limit_exceeded,
    not_implemented,                 ///< a transfer coding or method this server does not know
    version_unsupported,             ///< not HTTP/1.0 or HTTP/1.1
    model_unavailable,               ///< the provider exists but has no key or is out of service
    service_unavailable,             ///< overloaded, draining, or a store is down
    upstream_error,                  ///< the provider could not be reached or answered nonsense
    upstream_authentication_failed,  ///< the provider refused the platform's key
    upstream_timeout,
    upstream_status,  ///< the provider's own error, kept: see `error::upstream_status`
    client_gone,      ///< the client went away: nobody is left to answer
    internal,
};

/// Which side caused it.
enum class error_source { client, gateway, upstream };

/// Whether the same request may be sent again.
enum class retry_class {
    never,
    reused_only,  ///< only if it failed on a reused connection before any byte of the answer
    safe,         ///< nothing was sent
};

/// How an errc looks on the wire.
struct errc_traits {
    unsigned status;
    std::string_view code;  ///< the product's code, e.g. `RATE_LIMIT_EXCEEDED`
    std::string_view type;  ///< OpenAI's type, e.g. `rate_limit_error`
    std::string_view text;  ///< default message
};

[[nodiscard]] const errc_traits& traits_of(errc code) noexcept;

/// A failure with everything its answer, its log line and a retry decision need.
/// `message`, `param` and `details` go to the caller: nothing secret may be put there.
struct error {
    errc code = errc::internal;
    error_source source = error_source::gateway;
    retry_class retry = retry_class::never;
    unsigned upstream_status = 0;              ///< with errc::upstream_status: the provider's own HTTP status
    std::chrono::milliseconds retry_after{0};  ///< > 0: tell the caller when to come back
    boost::system::error_code cause{};         ///< for the log only
    std::string message{};                     ///< empty: the default text of `code`
    std::string param{};                       ///< OpenAI's `param`; empty: null
    std::string details{};                     ///< JSON object text; empty: {}
    std::string upstream_code{};               ///< the provider's own error code; empty: the code of `code`
    std::string upstream_type{};               ///< the provider's own error type; empty: the type of `code`
    std::source_location where = std::source_location::current();
};

template <class T>
using result = boost::system::result<T, error>;

/// An error of the client's making.
[[nodiscard]] error client_error(errc code, std::string message, std::string param = {},
                                 std::source_location where = std::source_location::current());
/// An error of our own.
[[nodiscard]] error gateway_error(errc code, std::string message, boost::system::error_code cause = {},
                                  std::source_location where = std::source_location::current());
/// An error of a provider or the way to it.
[[nodiscard]] error upstream_error(errc code, std::string message, retry_class retry = retry_class::never,
                                   boost::system::error_code cause = {},
                                   std::source_location where = std::source_location::current());

/// HTTP status of the answer for `e`.
[[nodiscard]] unsigned status_of(const error& e) noexcept;

/// Text for the caller: the message, or the default of its code.
[[nodiscard]] std::string_view text_of(const error& e) noexcept;

/// Lets `result<T>::value()` throw on misuse; found by argument-dependent lookup.
[[noreturn]] void throw_exception_from_error(const error& e, const boost::source_location& where);

}  // namespace concurred::base
