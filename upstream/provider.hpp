#pragma once

#include "crypto/secret_string.hpp"
#include "gateway/base/buffer_pool.hpp"
#include "gateway/base/config.hpp"
#include "gateway/net/connection_pool.hpp"
#include "gateway/net/dialer.hpp"
#include "gateway/net/resolver.hpp"
#include "gateway/net/url.hpp"
#include "upstream/client_tls.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// The wire format a provider speaks.
enum class dialect_kind {
    openai,  ///< chat completions as OpenAI defines them, and those who follow
    anthropic,
    google,
};

/// Dialect of a provider by its name; a provider we do not know speaks OpenAI's.
[[nodiscard]] dialect_kind dialect_of(std::string_view provider) noexcept;

/// One provider as one shard sees it: its address, its connections and what each request to it begins with.
class provider {
public:
    /// What all providers of a shard share. Outlives them.
    struct surroundings {
        base::executor executor;
        base::timing_wheel& wheel;
        net::resolver& resolver;
        const client_tls& tls;
    };

    [[nodiscard]] static base::result<std::unique_ptr<provider>> make(std::string name,
                                                                      const base::provider_config& config,
                                                                      const surroundings& around);

    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] const base::provider_config& settings() const noexcept { return config_; }
    [[nodiscard]] dialect_kind dialect() const noexcept { return dialect_; }
    [[nodiscard]] net::connection_pool& pool() noexcept { return *pool_; }
    [[nodiscard]] bool available() const noexcept { return !config_.api_key.empty(); }

    /// The head of a chat completion request up to and with "Content-Length: ". Holds the platform's key: never log it.
    [[nodiscard]] std::string_view chat_head() const noexcept { return chat_head_.reveal(); }

private:
    provider(std::string name, const base::provider_config& config) : name_(std::move(name)), config_(config) {}

    std::string name_;
    base::provider_config config_;
    dialect_kind dialect_ = dialect_kind::openai;
    net::url url_;
    crypto::secret_string chat_head_;
    std::unique_ptr<net::dialer> dialer_;
    std::unique_ptr<net::connection_pool> pool_;
};

/// The providers of a shard by name.
class provider_table {
public:
    /// Errors: a base URL or a CA file that cannot be used, by the provider's name.
    [[nodiscard]] static base::result<provider_table> make(const base::config& config,
                                                           const provider::surroundings& around);

    /// Null: there is no provider of that name.
    [[nodiscard]] provider* find(std::string_view name) noexcept;
    [[nodiscard]] auto begin() noexcept { return providers_.begin(); }
    [[nodiscard]] auto end() noexcept { return providers_.end(); }

private:
    std::map<std::string, std::unique_ptr<provider>, std::less<>> providers_;
};

}  // namespace concurred::upstream
