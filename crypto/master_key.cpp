#include "crypto/master_key.hpp"

#include "crypto/bytes.hpp"
#include "crypto/encoding.hpp"
#include "crypto/random.hpp"

#include <openssl/crypto.h>

#include <array>
#include <optional>
#include <string>

namespace concurred::crypto {

namespace {

base::error bad_master_key(std::string_view why) {
    return base::gateway_error(
        base::errc::internal,
        "the master key " + std::string(why) +
            "; it must be standard base64 with padding of exactly 32 random bytes (44 characters), "
            "for example from 'openssl rand -base64 32'");
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    const std::size_t first = text.find_first_not_of(space);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// Why a text that is not a key is none, in the terms of the mistake that was likely made.
std::string_view explain(std::string_view text, bool decodes) {
    // 64 hexadecimal digits are valid base64 too, of 48 bytes: look for them first.
    if (text.size() == 2 * master_key_bytes && text.find_first_not_of("0123456789abcdefABCDEF") == text.npos) {
        return "looks like hexadecimal";
    }
    if (decodes) {
        return "has the wrong length";
    }
    if (text.find_first_of("-_") != text.npos) {
        return "is not standard base64 (is it URL-safe base64?)";
    }
    return "is not base64";
}

}  // namespace

base::result<secret_string> parse_master_key(std::string_view text) {
    text = trim(text);
    if (text.empty()) {
        return bad_master_key("is empty");
    }
    std::optional<std::string> decoded = base64_decode(text);
    const bool decodes = decoded.has_value();
    secret_string key = decodes ? secret_string(*std::move(decoded)) : secret_string();
    if (key.size() != master_key_bytes) {
        return bad_master_key(explain(text, decodes));
    }
    if (key.reveal().find_first_not_of(key.reveal().front()) == std::string_view::npos) {
        return bad_master_key("is all zero or one repeated byte");
    }
    return key;
}

base::result<secret_string> generate_master_key() {
    std::array<std::uint8_t, master_key_bytes> bytes;
    if (auto filled = fill_random(bytes); filled.has_error()) {
        return filled.error();
    }
    secret_string text(base64_encode(to_view(bytes)));
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return text;
}

}  // namespace concurred::crypto
