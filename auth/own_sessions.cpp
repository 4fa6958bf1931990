#include "auth/own_sessions.hpp"

#include "crypto/bytes.hpp"
#include "crypto/digest.hpp"
#include "crypto/encoding.hpp"
#include "crypto/random.hpp"
#include "gateway/base/json_text.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace concurred::auth {

namespace {

constexpr std::size_t code_length = 43;  // 256 bits

std::string text_member(std::string_view name, std::string_view value) {
    std::string out = "\"" + std::string(name) + "\":";
    base::append_json_text(out, value);
    return out;
}

}  // namespace

login_code make_login_code() {
    login_code made;
    made.code = crypto::random_alphanumeric(code_length);
    made.hash = *login_code_hash(made.code);
    return made;
}

std::optional<std::string> login_code_hash(std::string_view code) {
    const bool good = code.size() == code_length && std::ranges::all_of(code, [](char c) {
                          return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
                      });
    if (!good) {
        return std::nullopt;
    }
    crypto::sha256_hasher hash;
    return crypto::base64_encode(crypto::to_view(hash(code)));
}

crypto::secret_string session_secret(std::string_view master) {
    crypto::digest256 derived = crypto::hkdf_sha256(master, {}, "gw/session/v1");
    crypto::secret_string secret(crypto::to_view(derived));
    OPENSSL_cleanse(derived.data(), derived.size());
    return secret;
}

std::string issue_session(std::string_view secret, std::string_view owner, std::chrono::milliseconds lifetime,
                          base::wall_time now) {
    const std::int64_t issued = base::unix_millis(now) / 1'000;
    const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(lifetime).count();
    const std::string expires = std::to_string(issued + seconds);
    const std::string claims = "{" + text_member("iss", own_issuer) + "," + text_member("sub", owner) +
                               R"(,"aud":"authenticated","role":"authenticated","aal":"aal1","iat":)" +
                               std::to_string(issued) + ",\"exp\":" + expires + "," +
                               text_member("session_id", crypto::random_alphanumeric(22)) + "}";
    std::string token =
        crypto::base64url_encode(R"({"alg":"HS256","typ":"JWT"})") + "." + crypto::base64url_encode(claims);
    const crypto::digest256 code = crypto::hmac_sha256(secret, token);
    token += "." + crypto::base64url_encode(crypto::to_view(code));
    const std::string session = "{" + text_member("access_token", token) + R"(,"token_type":"bearer","expires_in":)" +
                                std::to_string(seconds) + ",\"expires_at\":" + expires + "}";
    return "base64-" + crypto::base64url_encode(session);
}

}  // namespace concurred::auth
