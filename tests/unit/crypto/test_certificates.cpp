#include "tests/unit/crypto/test_certificates.hpp"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace concurred::crypto::test {

namespace {

void require(bool condition, const char* what) {
    if (!condition) {
        throw std::runtime_error(std::string(what) + ": " + openssl_reason());
    }
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, openssl_deleter<&X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, "certificate extension");
}

long next_serial() {
    static long serial = 1000;
    return ++serial;
}

}  // namespace

identity make_identity(const certificate_request& request, const identity* issuer) {
    identity made;
    made.key.reset(request.rsa_bits != 0 ? EVP_RSA_gen(request.rsa_bits) : EVP_EC_gen("P-256"));
    made.certificate.reset(X509_new());
    require(made.key != nullptr && made.certificate != nullptr, "new certificate");
    X509* const certificate = made.certificate.get();
    X509* const signer = issuer != nullptr ? issuer->certificate.get() : certificate;
    EVP_PKEY* const signing_key = issuer != nullptr ? issuer->key.get() : made.key.get();

    X509_NAME* const name = X509_get_subject_name(certificate);
    const auto* common_name = reinterpret_cast<const unsigned char*>(request.common_name.c_str());
    require(X509_set_version(certificate, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(certificate), next_serial()) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(certificate), request.valid_from.count()) != nullptr &&
                X509_gmtime_adj(X509_getm_notAfter(certificate), request.valid_until.count()) != nullptr &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common_name, -1, -1, 0) == 1 &&
                X509_set_issuer_name(certificate, X509_get_subject_name(signer)) == 1 &&
                X509_set_pubkey(certificate, made.key.get()) == 1,
            "certificate fields");
    add_extension(certificate, signer, NID_basic_constraints, request.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (request.is_ca) {
        add_extension(certificate, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
    }
    if (!request.alt_names.empty()) {
        add_extension(certificate, signer, NID_subject_alt_name, request.alt_names);
    }
    require(X509_sign(certificate, signing_key, EVP_sha256()) != 0, "certificate signature");
    return made;
}

temporary_folder::temporary_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "concurred-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("no temporary folder");
    }
    folder_ = pattern;
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string temporary_folder::write(const std::string& name, const std::string& content) const {
    std::ofstream file(path(name), std::ios::binary);
    file << content;
    file.close();
    if (!file) {
        throw std::runtime_error("cannot write " + path(name));
    }
    return path(name);
}

std::string temporary_folder::write_certificate(const std::string& name, const X509* certificate) const {
    const bio_handle file(BIO_new_file(path(name).c_str(), "w"));
    require(file != nullptr && PEM_write_bio_X509(file.get(), certificate) == 1, "write certificate");
    return path(name);
}

std::string temporary_folder::write_key(const std::string& name, const EVP_PKEY* key,
                                        const std::string& password) const {
    const bio_handle file(BIO_new_file(path(name).c_str(), "w"));
    const EVP_CIPHER* cipher = password.empty() ? nullptr : EVP_aes_256_cbc();
    const auto* bytes = reinterpret_cast<const unsigned char*>(password.c_str());
    require(file != nullptr && PEM_write_bio_PrivateKey(file.get(), key, cipher, password.empty() ? nullptr : bytes,
                                                        static_cast<int>(password.size()), nullptr, nullptr) == 1,
            "write key");
    return path(name);
}

}  // namespace concurred::crypto::test
