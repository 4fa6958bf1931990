#pragma once

#include "crypto/openssl_handles.hpp"

#include <chrono>
#include <filesystem>
#include <string>

/// Certificates made while a test runs, so that none expires in the repository.
namespace concurred::crypto::test {

/// A certificate with its key; P-256 unless said otherwise.
struct identity {
    x509_handle certificate;
    pkey_handle key;
};

/// What goes into a certificate.
struct certificate_request {
    std::string common_name = "test";
    std::string alt_names;  ///< as in an OpenSSL configuration: "DNS:localhost,IP:127.0.0.1"; empty: none
    bool is_ca = false;
    std::chrono::seconds valid_from{-3600};    ///< from now
    std::chrono::seconds valid_until{86'400};  ///< from now
    unsigned rsa_bits = 0;                     ///< > 0: an RSA key of this size
};

/// Makes a key and a certificate for it.
/// @param issuer signs it; null: self-signed. @throws std::runtime_error when OpenSSL refuses.
[[nodiscard]] identity make_identity(const certificate_request& request, const identity* issuer = nullptr);

/// A directory of its own, removed with everything in it at the end.
class temporary_folder {
public:
    temporary_folder();
    ~temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    /// Path of `name` inside.
    [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

    /// Writes files and returns their path.
    std::string write(const std::string& name, const std::string& content) const;
    std::string write_certificate(const std::string& name, const X509* certificate) const;
    /// @param password not empty: the key is encrypted with it.
    std::string write_key(const std::string& name, const EVP_PKEY* key, const std::string& password = {}) const;

private:
    std::filesystem::path folder_;
};

}  // namespace concurred::crypto::test
