#pragma once

#include "auth/key_source.hpp"
#include "auth/unkey_client.hpp"

namespace concurred::auth {

/// Unkey as the source of keys. The client outlives it.
class unkey_key_source final : public key_source {
public:
    explicit unkey_key_source(unkey_client& client) : client_(client) {}

    base::task<base::result<key_answer>> find(const crypto::digest256&, const crypto::secret_string& key,
                                              bool known) override {
        return client_.verify(key, known);
    }

private:
    unkey_client& client_;
};

}  // namespace concurred::auth
