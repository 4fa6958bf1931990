#pragma once

#include "gateway/http/body_source.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace concurred::http {

inline constexpr std::string_view json_type = "application/json";

/// An answer: a head, and a body that is either whole or pulled. Further header fields are collected in
/// `exchange::headers`.
struct response {
    unsigned status = 200;
    std::string_view content_type = json_type;  ///< static text, or text that lives as long as the exchange
    std::string content;                        ///< the whole body, unless `shared` or `body` is set
    std::string_view shared;                    ///< the whole body, owned by something that outlives the exchange
    std::unique_ptr<body_source> body;          ///< a body that is pulled
    bool close = false;                         ///< the connection cannot be used again

    [[nodiscard]] std::string_view whole() const noexcept {
        return shared.empty() ? std::string_view(content) : shared;
    }
};

}  // namespace concurred::http
