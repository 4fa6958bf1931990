#include "auth/key_source.hpp"

#include "auth/api_key_format.hpp"
#include "gateway/base/clock.hpp"
#include "storage/call.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace concurred::auth {

namespace {

using found = base::result<std::optional<storage::api_key_row>>;

constexpr std::chrono::seconds try_again{1};

class local_key_source final : public key_source {
public:
    local_key_source(base::executor shard, storage::database_thread& thread, storage::api_key_store& keys)
        : shard_(shard), thread_(thread), keys_(keys) {}

    base::task<base::result<key_answer>> find(const crypto::digest256& digest, const crypto::secret_string&,
                                              bool) override {
        auto read = [this, hash = hash_text(digest)] { return keys_.find_by_hash(hash); };
        std::optional<found> answer = co_await storage::call(thread_, shard_, std::move(read));
        if (!answer || !*answer) {
            co_return keys_unavailable(answer ? answer->error() : base::error{});
        }
        key_answer result{.verified_ms = base::unix_millis(std::chrono::system_clock::now())};
        if (**answer) {
            result.row = std::move(***answer);
            result.status = status_of(result.row, result.verified_ms);
        }
        co_return std::move(result);
    }

private:
    base::executor shard_;
    storage::database_thread& thread_;
    storage::api_key_store& keys_;
};

}  // namespace

base::error keys_unavailable(const base::error& cause) {
    base::error e = base::gateway_error(base::errc::service_unavailable, "API keys cannot be checked at the moment.");
    e.retry_after = std::max<std::chrono::milliseconds>(cause.retry_after, try_again);
    e.cause = cause.cause;
    return e;
}

std::unique_ptr<key_source> make_local_key_source(base::executor shard, storage::database_thread& thread,
                                                  storage::api_key_store& keys) {
    return std::make_unique<local_key_source>(shard, thread, keys);
}

}  // namespace concurred::auth
