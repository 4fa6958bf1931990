#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace concurred::crypto {

/// Calls the OpenSSL function that releases `Object`.
template <auto Free>
struct openssl_deleter {
    template <class Object>
    void operator()(Object* object) const noexcept {
        Free(object);
    }
};

/// Owners of OpenSSL objects, named after the object they hold. Each releases it at destruction; null is allowed.
using bio_handle = std::unique_ptr<BIO, openssl_deleter<&BIO_free_all>>;
using cipher_handle = std::unique_ptr<EVP_CIPHER, openssl_deleter<&EVP_CIPHER_free>>;
using cipher_ctx_handle = std::unique_ptr<EVP_CIPHER_CTX, openssl_deleter<&EVP_CIPHER_CTX_free>>;
using mac_handle = std::unique_ptr<EVP_MAC, openssl_deleter<&EVP_MAC_free>>;
using mac_ctx_handle = std::unique_ptr<EVP_MAC_CTX, openssl_deleter<&EVP_MAC_CTX_free>>;
using md_handle = std::unique_ptr<EVP_MD, openssl_deleter<&EVP_MD_free>>;
using md_ctx_handle = std::unique_ptr<EVP_MD_CTX, openssl_deleter<&EVP_MD_CTX_free>>;
using pkey_handle = std::unique_ptr<EVP_PKEY, openssl_deleter<&EVP_PKEY_free>>;
using ssl_ctx_handle = std::unique_ptr<SSL_CTX, openssl_deleter<&SSL_CTX_free>>;
using ssl_handle = std::unique_ptr<SSL, openssl_deleter<&SSL_free>>;
using x509_handle = std::unique_ptr<X509, openssl_deleter<&X509_free>>;

/// Takes everything out of this thread's OpenSSL error queue and says in a few words what went wrong: at most three
/// reasons, the cause first. Only OpenSSL's fixed texts and the system's error texts are used, never the data attached
/// to an error, so nothing secret can be in it.
/// @return empty when the queue was empty.
[[nodiscard]] std::string openssl_reason();

/// Ends the process with a line on standard error. For failures after which any answer would be a wrong one, such as a
/// hash that could not be computed: a made-up value there would let one key pass for another.
/// @param what a fixed text without secrets, e.g. "SHA-256".
[[noreturn]] void fail_stop(const char* what) noexcept;

}  // namespace concurred::crypto
