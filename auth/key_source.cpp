#include "auth/key_source.hpp"

#include "auth/api_key_format.hpp"
#include "storage/call.hpp"

namespace concurred::auth {

namespace {

using found = base::result<std::optional<storage::api_key_row>>;

class local_key_source final : public key_source {
public:
    local_key_source(base::executor shard, storage::database_thread& thread, storage::api_key_store& keys)
        : shard_(shard), thread_(thread), keys_(keys) {}

    base::task<found> find(crypto::digest256 key) override {
        auto read = [this, hash = hash_text(key)] { return keys_.find_by_hash(hash); };
        const std::optional<found> answer = co_await storage::call(thread_, shard_, std::move(read));
        if (!answer || !*answer) {
            base::error e =
                base::gateway_error(base::errc::service_unavailable, "API keys cannot be checked at the moment.");
            e.retry_after = std::chrono::seconds(1);
            if (answer) {
                e.cause = answer->error().cause;
            }
            co_return e;
        }
        co_return **answer;
    }

private:
    base::executor shard_;
    storage::database_thread& thread_;
    storage::api_key_store& keys_;
};

}  // namespace

std::unique_ptr<key_source> make_local_key_source(base::executor shard, storage::database_thread& thread,
                                                  storage::api_key_store& keys) {
    return std::make_unique<local_key_source>(shard, thread, keys);
}

}  // namespace concurred::auth
