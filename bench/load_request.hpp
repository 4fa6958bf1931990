#pragma once

#include "bench/scenario.hpp"
#include "gateway/net/url.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::bench {

/// The requests of one kind, made before the run: only the key differs from one to the next.
struct load_request {
    std::string before_key;  ///< request line and fields up to the key; all of the head if there are no keys
    std::string after_key;   ///< the rest of the head and the body
    std::vector<std::string> keys;
};

/// \param target where the API is, e.g. `http://127.0.0.1:8080/api/v1`
/// \param model_prefix stands before the model's name when the kind is given as settings of the mock, e.g. `openai/`
/// \param fields further header fields, each `Name: value`
/// \param keys the keys of the kind's set; empty: the request carries none
[[nodiscard]] load_request make_load_request(const request_kind& kind, const net::url& target,
                                             std::string_view model_prefix, const std::vector<std::string>& fields,
                                             std::vector<std::string> keys);

}  // namespace concurred::bench
