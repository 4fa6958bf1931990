#include "crypto/jws_key.hpp"

#include "crypto/bytes.hpp"
#include "crypto/digest.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <cstddef>
#include <memory>
#include <string>

namespace concurred::crypto {

namespace {

constexpr std::size_t coordinate_bytes = 32;
constexpr int least_modulus_bits = 2048;
constexpr int most_modulus_bits = 8192;

using bignum_handle = std::unique_ptr<BIGNUM, openssl_deleter<&BN_free>>;
using signature_handle = std::unique_ptr<ECDSA_SIG, openssl_deleter<&ECDSA_SIG_free>>;
using builder_handle = std::unique_ptr<OSSL_PARAM_BLD, openssl_deleter<&OSSL_PARAM_BLD_free>>;
using params_handle = std::unique_ptr<OSSL_PARAM, openssl_deleter<&OSSL_PARAM_free>>;
using pkey_ctx_handle = std::unique_ptr<EVP_PKEY_CTX, openssl_deleter<&EVP_PKEY_CTX_free>>;

base::error refuse(std::string why) {
    ERR_clear_error();
    return base::gateway_error(base::errc::internal, std::move(why));
}

bignum_handle number_of(std::string_view bytes) noexcept {
    return bignum_handle(BN_bin2bn(to_bytes(bytes).data(), static_cast<int>(bytes.size()), nullptr));
}

pkey_handle import_key(const char* type, OSSL_PARAM* params) noexcept {
    const pkey_ctx_handle context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* made = nullptr;
    if (context == nullptr || params == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        return nullptr;
    }
    return pkey_handle(made);
}

bool is_sound(EVP_PKEY* key) noexcept {
    const pkey_ctx_handle context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    return context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
}

/// r and s as ASN.1, which is what OpenSSL takes. Empty when it cannot be made.
std::string to_der(std::string_view raw) {
    const signature_handle parts(ECDSA_SIG_new());
    bignum_handle r = number_of(raw.substr(0, coordinate_bytes));
    bignum_handle s = number_of(raw.substr(coordinate_bytes));
    if (parts == nullptr || r == nullptr || s == nullptr || ECDSA_SIG_set0(parts.get(), r.get(), s.get()) != 1) {
        return {};
    }
    static_cast<void>(r.release());  // now of `parts`
    static_cast<void>(s.release());
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(parts.get(), &der);
    std::string text;
    if (size > 0) {
        text = to_view({der, static_cast<std::size_t>(size)});
    }
    OPENSSL_free(der);
    return text;
}

bool verify_with(EVP_PKEY* key, std::string_view signed_text, std::string_view signature) noexcept {
    const md_ctx_handle context(EVP_MD_CTX_new());
    const bool good = context != nullptr &&
                      EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key, nullptr) == 1 &&
                      EVP_DigestVerify(context.get(), to_bytes(signature).data(), signature.size(),
                                       to_bytes(signed_text).data(), signed_text.size()) == 1;
    ERR_clear_error();
    return good;
}

}  // namespace

std::string_view name_of(jws_algorithm algorithm) noexcept {
    switch (algorithm) {
        case jws_algorithm::hs256:
            return "HS256";
        case jws_algorithm::es256:
            return "ES256";
        case jws_algorithm::rs256:
            break;
    }
    return "RS256";
}

base::result<jws_key> jws_key::hs256(secret_string secret) {
    if (secret.empty()) {
        return refuse("The secret for HS256 is empty.");
    }
    jws_key key(jws_algorithm::hs256);
    key.secret_ = std::move(secret);
    return key;
}

base::result<jws_key> jws_key::es256(std::string_view x, std::string_view y) {
    if (x.size() != coordinate_bytes || y.size() != coordinate_bytes) {
        return refuse("A coordinate of the P-256 key is not 32 bytes long.");
    }
    const std::string point = "\x04" + std::string(x) + std::string(y);
    const builder_handle builder(OSSL_PARAM_BLD_new());
    if (builder == nullptr ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
        return refuse("The P-256 key cannot be read.");
    }
    const params_handle params(OSSL_PARAM_BLD_to_param(builder.get()));
    jws_key key(jws_algorithm::es256);
    key.public_key_ = import_key("EC", params.get());
    if (key.public_key_ == nullptr || !is_sound(key.public_key_.get())) {
        return refuse("The P-256 key is not a point on the curve.");
    }
    ERR_clear_error();
    return key;
}

base::result<jws_key> jws_key::rs256(std::string_view n, std::string_view e) {
    const bignum_handle modulus = number_of(n.substr(0, most_modulus_bits / 8 + 1));
    const bignum_handle exponent = number_of(e.substr(0, 16));
    if (modulus == nullptr || exponent == nullptr) {
        return refuse("The RSA key cannot be read.");
    }
    if (const int bits = BN_num_bits(modulus.get()); bits < least_modulus_bits || bits > most_modulus_bits) {
        return refuse("The RSA key's modulus is not of 2048 to 8192 bits.");
    }
    if (e.size() > 5 || BN_is_odd(exponent.get()) != 1 || BN_is_one(exponent.get()) == 1 ||
        BN_num_bits(exponent.get()) > 33) {
        return refuse("The RSA key's exponent is not an odd number from 3 to 2^32.");
    }
    const builder_handle builder(OSSL_PARAM_BLD_new());
    if (builder == nullptr || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
        return refuse("The RSA key cannot be read.");
    }
    const params_handle params(OSSL_PARAM_BLD_to_param(builder.get()));
    jws_key key(jws_algorithm::rs256);
    key.public_key_ = import_key("RSA", params.get());
    if (key.public_key_ == nullptr) {
        return refuse("The RSA key cannot be read.");
    }
    ERR_clear_error();
    return key;
}

bool jws_key::verify(std::string_view signed_text, std::string_view signature) const noexcept {
    switch (algorithm_) {
        case jws_algorithm::hs256: {
            const digest256 code = hmac_sha256(secret_.reveal(), signed_text);
            return equal_constant_time(to_view(code), signature);
        }
        case jws_algorithm::es256: {
            if (signature.size() != 2 * coordinate_bytes) {
                return false;
            }
            const std::string der = to_der(signature);
            return !der.empty() && verify_with(public_key_.get(), signed_text, der);
        }
        case jws_algorithm::rs256:
            break;
    }
    return signature.size() == static_cast<std::size_t>(EVP_PKEY_get_size(public_key_.get())) &&
           verify_with(public_key_.get(), signed_text, signature);
}

}  // namespace concurred::crypto
