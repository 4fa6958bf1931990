#include "upstream/client_tls.hpp"

#include "crypto/tls_context.hpp"

namespace concurred::upstream {

base::result<client_tls> client_tls::make(const base::config& config) {
    client_tls made;
    for (const auto& [name, provider] : config.providers) {
        // With a master key owners may bring keys of their own for any provider.
        const bool used = provider.has_key() || !config.secrets.master_key.empty();
        if (!used || !provider.base_url.starts_with("https://") || made.contexts_.contains(provider.ca_file)) {
            continue;
        }
        auto context = crypto::make_client_tls(provider.ca_file);
        if (!context) {
            base::error e = context.error();
            e.message = "providers." + name + ": " + std::string(base::text_of(e));
            return e;
        }
        made.contexts_.emplace(provider.ca_file, std::move(*context));
    }
    return made;
}

SSL_CTX* client_tls::find(const std::string& ca_file) const noexcept {
    const auto found = contexts_.find(ca_file);
    return found == contexts_.end() ? nullptr : found->second.get();
}

}  // namespace concurred::upstream
