#pragma once

#include "storage/redis_error.hpp"
#include "storage/redis_settings.hpp"

#include <initializer_list>
#include <string>
#include <vector>

namespace concurred::storage {

/// Sends commands over a connection of their own, one after the other, and completes with the last reply: for what is
/// asked once in a while. Error replies and failures come as errors, whichever command they belong to.
/// @param commands the words of each; AUTH goes first where it is needed
/// @param timeout for all of it
[[nodiscard]] base::task<redis_result> redis_ask(base::executor ex, redis_url::transport via, redis_address at,
                                                 SSL_CTX* tls, std::vector<std::vector<std::string>> commands,
                                                 std::chrono::milliseconds timeout);

/// AUTH as `redis_ask` wants it; empty without a password.
[[nodiscard]] std::vector<std::vector<std::string>> redis_auth(const std::string& user, const std::string& password);

/// Asks the Sentinels, beginning with number `first`, where the master is. Completes with the first answer.
/// Errors: in words for the operator.
[[nodiscard]] base::task<base::result<redis_address>> redis_find_master(base::executor ex,
                                                                        const redis_settings& settings,
                                                                        std::size_t first);

}  // namespace concurred::storage
