#include "gateway/base/error.hpp"

#include <array>
#include <stdexcept>

namespace concurred::base {

namespace {

// In the order of `errc`. Status and code: the product's table of errors and its completion in DECISIONS.md; type:
// OpenAI's.
constexpr std::array<errc_traits, static_cast<std::size_t>(errc::internal) + 1> traits{{
    {400, "BAD_REQUEST", "invalid_request_error", "The request is malformed."},
    {400, "MISSING_REQUIRED_FIELD", "invalid_request_error", "A required field is missing."},
    {400, "INVALID_MODEL", "invalid_request_error", "The model is not known."},
    {401, "UNAUTHORIZED", "authentication_error",
     "No API key was given. Send it as 'Authorization: Bearer ck_...' or 'X-API-Key: ck_...'."},
    {401, "INVALID_API_KEY", "authentication_error",
     "The API key is not valid: it is unknown, disabled, expired or revoked."},
    {403, "FORBIDDEN", "permission_error", "This is not allowed for these credentials."},
    {404, "NOT_FOUND", "invalid_request_error", "There is nothing at this address."},
    {405, "METHOD_NOT_ALLOWED", "invalid_request_error", "This method is not allowed here."},
    {408, "REQUEST_TIMEOUT", "invalid_request_error", "The request was not sent in time."},
    {409, "CONFLICT", "invalid_request_error", "This conflicts with what is there already."},
    {413, "PAYLOAD_TOO_LARGE", "invalid_request_error", "The request body is too large."},
    {414, "URI_TOO_LONG", "invalid_request_error", "The request target is too long."},
    {415, "UNSUPPORTED_MEDIA_TYPE", "invalid_request_error", "Send the body as 'Content-Type: application/json'."},
    {417, "EXPECTATION_FAILED", "invalid_request_error", "Only 'Expect: 100-continue' is supported."},
    {431, "HEADER_FIELDS_TOO_LARGE", "invalid_request_error", "The request headers are too large."},
    {429, "RATE_LIMIT_EXCEEDED", "rate_limit_error", "Too many requests."},
    {501, "NOT_IMPLEMENTED", "invalid_request_error", "This is not supported by this server."},
    {505, "VERSION_UNSUPPORTED", "invalid_request_error", "Only HTTP/1.0 and HTTP/1.1 are supported."},
    {503, "MODEL_UNAVAILABLE", "server_error", "The model is not available at the moment."},
    {503, "SERVICE_UNAVAILABLE", "server_error", "The service is not available at the moment."},
    {502, "UPSTREAM_ERROR", "server_error", "The provider could not be reached or gave an unusable answer."},
    {502, "upstream_authentication_failed", "server_error",
     "The provider refused the gateway's own key. Your key is not at fault."},
    {504, "UPSTREAM_TIMEOUT", "server_error", "The provider did not answer in time."},
    {502, "UPSTREAM_ERROR", "server_error", "The provider answered with an error."},
    {499, "CLIENT_CLOSED", "invalid_request_error", "The client closed the connection."},
    {500, "INTERNAL_ERROR", "server_error",
     "Something went wrong here. Try again, and quote the request id if it stays."},
}};

error make(errc code, error_source source, std::string message, boost::system::error_code cause,
           std::source_location where) {
    error e;
    e.code = code;
    e.source = source;
    e.cause = cause;
    e.message = std::move(message);
    e.where = where;
    return e;
}

}  // namespace

const errc_traits& traits_of(errc code) noexcept {
    return traits[static_cast<std::size_t>(code)];
}

error client_error(errc code, std::string message, std::string param, std::source_location where) {
    error e = make(code, error_source::client, std::move(message), {}, where);
    e.param = std::move(param);
    return e;
}

error gateway_error(errc code, std::string message, boost::system::error_code cause, std::source_location where) {
    return make(code, error_source::gateway, std::move(message), cause, where);
}

error upstream_error(errc code, std::string message, retry_class retry, boost::system::error_code cause,
                     std::source_location where) {
    error e = make(code, error_source::upstream, std::move(message), cause, where);
    e.retry = retry;
    return e;
}

unsigned status_of(const error& e) noexcept {
    return e.code == errc::upstream_status && e.upstream_status != 0 ? e.upstream_status : traits_of(e.code).status;
}

std::string_view text_of(const error& e) noexcept {
    return e.message.empty() ? traits_of(e.code).text : std::string_view(e.message);
}

void throw_exception_from_error(const error& e, const boost::source_location&) {
    throw std::logic_error("result holds an error: " + std::string(text_of(e)));
}

}  // namespace concurred::base
