#pragma once

#include "crypto/openssl_handles.hpp"
#include "gateway/base/config.hpp"
#include "gateway/base/error.hpp"

#include <map>
#include <string>

namespace concurred::upstream {

/// TLS contexts for the way to the providers, one for each set of trusted roots: loading the system's takes megabytes
/// and milliseconds, so shards and providers share them. Immutable once made.
class client_tls {
public:
    /// Makes what the https providers that have a key need. Errors: a CA file that cannot be used, by the provider's
    /// name.
    [[nodiscard]] static base::result<client_tls> make(const base::config& config);

    /// Null when no provider needs it.
    [[nodiscard]] SSL_CTX* find(const std::string& ca_file) const noexcept;

private:
    std::map<std::string, crypto::ssl_ctx_handle> contexts_;  // by CA file; "": the system's roots
};

}  // namespace concurred::upstream
