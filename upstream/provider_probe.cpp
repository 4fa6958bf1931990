#include "upstream/provider_probe.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace concurred::upstream {

namespace {

struct free_call {
    std::string_view provider;
    std::string_view path;  ///< below the base URL
};

// OpenRouter shows its models to everybody; only /key looks at the key.
constexpr std::array free_calls{
    free_call{"openai", "/models"},
    free_call{"anthropic", "/v1/models?limit=1"},
    free_call{"google", "/models?pageSize=1"},
    free_call{"x-ai", "/models"},
    free_call{"openrouter", "/key"},
    free_call{"minimax", "/models"},
};

constexpr std::chrono::seconds longest_wait{10};

const free_call* find_call(std::string_view provider) noexcept {
    const auto found = std::ranges::find(free_calls, provider, &free_call::provider);
    return found == free_calls.end() ? nullptr : &*found;
}

}  // namespace

bool provider_probe::knows(std::string_view provider) noexcept {
    return find_call(provider) != nullptr;
}

base::result<net::json_client*> provider_probe::client_for(const std::string& provider) {
    auto& client = clients_[provider];
    if (client == nullptr) {
        const base::provider_config& config = settings_.providers.at(provider);
        auto url = net::parse_url(config.base_url);
        if (!url) {
            return url.error();
        }
        const bool tls = url->tls;
        client = std::make_unique<net::json_client>(
            net::json_client::params{.executor = around_.executor,
                                     .wheel = around_.wheel,
                                     .resolver = around_.resolver,
                                     .target = std::move(*url),
                                     .tls = tls ? around_.tls.find(config.ca_file) : nullptr,
                                     .connect_timeout = config.connect_timeout,
                                     .pool = {.max_connections = 8, .max_waiters = 32}});
    }
    return client.get();
}

base::task<base::result<probe_answer>> provider_probe::ask(std::string provider, const owner_credential& key) {
    const free_call* call = find_call(provider);
    if (call == nullptr || !settings_.providers.contains(provider)) {
        co_return base::gateway_error(base::errc::internal, "there is no such provider to ask");
    }
    auto client = client_for(provider);
    if (!client) {
        co_return client.error();
    }
    const std::string_view fixed = dialect_of(provider).fixed_fields;
    crypto::secret_string fields = crypto::secret_string::of_size(key.key_line.size() + fixed.size());
    char* const behind = std::ranges::copy(key.key_line.reveal(), fields.writable().data()).out;
    std::ranges::copy(fixed, behind);
    net::json_request request;
    request.method = boost::beast::http::verb::get;
    request.path = call->path;
    request.headers = fields.reveal();
    request.deadline = longest_wait;
    base::result<net::json_reply> reply = co_await (*client)->call(request);
    if (!reply) {
        base::error e = reply.error();
        e.message = "The provider could not be asked.";
        co_return e;
    }
    co_return probe_answer{reply->status >= 200 && reply->status < 300, reply->status};
}

void provider_probe::stop() noexcept {
    for (const auto& [name, client] : clients_) {
        if (client != nullptr) {
            client->stop();
        }
    }
}

}  // namespace concurred::upstream
