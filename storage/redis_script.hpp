#pragma once

#include "crypto/digest.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace concurred::storage {

/// A script that runs in Redis as one step, called by the name that Redis gives it: the SHA-1 of its text.
class redis_script {
public:
    explicit redis_script(std::string text) : text_(std::move(text)), name_(crypto::sha1_hex(text_)) {}

    [[nodiscard]] std::string_view text() const noexcept { return text_; }
    [[nodiscard]] std::string_view name() const noexcept { return name_; }

private:
    std::string text_;
    std::string name_;
};

}  // namespace concurred::storage
