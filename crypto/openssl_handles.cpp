#include "crypto/openssl_handles.hpp"

#include <openssl/err.h>

#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace concurred::crypto {

namespace {

constexpr int max_reasons = 3;

std::string text_of_code(unsigned long code) {
    // System errors have no text of OpenSSL's own: their reason is the errno.
    if (ERR_SYSTEM_ERROR(code)) {
        return std::generic_category().message(ERR_GET_REASON(code));
    }
    const char* reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : "error " + std::to_string(ERR_GET_REASON(code));
}

}  // namespace

std::string openssl_reason() {
    std::string text;
    int reasons = 0;
    while (const unsigned long code = ERR_get_error()) {
        if (reasons == max_reasons) {
            continue;
        }
        const std::string reason = text_of_code(code);
        // The layers above the cause repeat it or say only that it passed through them ("PEM lib").
        if (!text.empty() && (reason.ends_with(" lib") || text.find(reason) != std::string::npos)) {
            continue;
        }
        text += text.empty() ? "" : "; ";
        text += reason;
        ++reasons;
    }
    return text;
}

void fail_stop(const char* what) noexcept {
    std::fprintf(stderr, "concurred: fatal: the cryptographic library failed: %s\n", what);
    std::abort();
}

}  // namespace concurred::crypto
