#include "crypto/tls_context.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <array>

namespace concurred::crypto {

namespace {

// TLS 1.2: forward secrecy and AEAD only. The client's order is kept: it knows whether it has AES in hardware.
constexpr const char* tls12_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* tls13_ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

// A list of one protocol as ALPN sends it: each name behind its length.
constexpr std::array<unsigned char, 9> alpn_http11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

base::error fault(std::string what) {
    const std::string reason = openssl_reason();
    if (!reason.empty()) {
        what += ": " + reason;
    }
    return base::gateway_error(base::errc::internal, std::move(what));
}

/// Why a file could not be loaded: it could not be read, or there is not in it what is needed.
base::error file_fault(const std::string& kind, const std::string& file, const std::string& needed) {
    const bool unreadable = ERR_SYSTEM_ERROR(ERR_peek_error());
    return fault(unreadable ? "cannot read the " + kind + " '" + file + "'"
                            : "the " + kind + " '" + file + "' holds no usable " + needed + " in PEM form");
}

int select_http11(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                  void*) {
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, alpn_http11.data(), alpn_http11.size(), in, in_size) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/// Without this OpenSSL would ask for the password of an encrypted key on the terminal and block.
int refuse_password(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

ssl_ctx_handle make_context(const SSL_METHOD* method) {
    ERR_clear_error();
    ssl_ctx_handle context(SSL_CTX_new(method));
    if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context.get(), tls12_ciphers) != 1 ||
        SSL_CTX_set_ciphersuites(context.get(), tls13_ciphers) != 1) {
        return nullptr;
    }
    SSL_CTX_set_security_level(context.get(), 2);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

bool is_ip_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> address;
    return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
           inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

bool expect_peer(SSL* session, std::string host) {
    X509_VERIFY_PARAM* const param = SSL_get0_param(session);
    if (is_ip_address(host)) {
        return X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1;
    }
    // Names in the subject are not looked at: only the alternative names are authenticated host names (RFC 9525 2).
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set1_host(param, host.data(), host.size()) == 1 &&
           SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1;
}

}  // namespace

base::result<ssl_ctx_handle> make_server_tls(const std::string& certificate_file, const std::string& key_file) {
    ssl_ctx_handle context = make_context(TLS_server_method());
    if (context == nullptr) {
        return fault("cannot make a TLS context");
    }
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
        return file_fault("TLS certificate", certificate_file, "certificate");
    }
    bool asked = false;
    SSL_CTX_set_default_passwd_cb(context.get(), refuse_password);
    SSL_CTX_set_default_passwd_cb_userdata(context.get(), &asked);
    const bool loaded = SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(context.get(), nullptr);
    SSL_CTX_set_default_passwd_cb(context.get(), nullptr);
    if (asked) {
        ERR_clear_error();
        return fault("the TLS key '" + key_file + "' is encrypted: store it without a password");
    }
    // A key of the certificate's kind is compared when it is loaded, one of another kind only by the check.
    const bool other_key = !loaded && ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    if (other_key || (loaded && SSL_CTX_check_private_key(context.get()) != 1)) {
        ERR_clear_error();
        return fault("the TLS key '" + key_file + "' does not belong to the certificate '" + certificate_file + "'");
    }
    if (!loaded) {
        return file_fault("TLS key", key_file, "private key");
    }
    // Tickets keep the state at the client; a cache would cost memory and a lock per handshake.
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context.get(), select_http11, nullptr);
    return context;
}

base::result<ssl_ctx_handle> make_client_tls(const std::string& ca_file) {
    ssl_ctx_handle context = make_context(TLS_client_method());
    // SSL_CTX_set_alpn_protos returns 0 for success, unlike its neighbours.
    if (context == nullptr || SSL_CTX_set_alpn_protos(context.get(), alpn_http11.data(), alpn_http11.size()) != 0) {
        return fault("cannot make a TLS context");
    }
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    if (SSL_CTX_set_default_verify_paths(context.get()) != 1) {
        return fault("cannot use the system's trusted certificates");
    }
    ERR_clear_error();  // a missing default file is an error in the queue, but none for us
    if (!ca_file.empty() && SSL_CTX_load_verify_file(context.get(), ca_file.c_str()) != 1) {
        return file_fault("file of trusted certificates", ca_file, "certificate");
    }
    ERR_clear_error();
    return context;
}

base::result<ssl_handle> make_server_session(SSL_CTX* context) {
    ssl_handle session(SSL_new(context));
    if (session == nullptr) {
        return fault("cannot make a TLS session");
    }
    SSL_set_accept_state(session.get());
    return session;
}

base::result<ssl_handle> make_client_session(SSL_CTX* context, std::string_view host) {
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    // "example.com." is the same host as "example.com", but certificates and SNI have the name without the dot.
    if (host.ends_with('.')) {
        host.remove_suffix(1);
    }
    if (host.empty() || host.front() == '.' || host.find('\0') != std::string_view::npos) {
        return base::gateway_error(base::errc::internal, "a TLS connection needs the host name or address of its peer");
    }
    ssl_handle session(SSL_new(context));
    if (session == nullptr || !expect_peer(session.get(), std::string(host))) {
        return fault("cannot make a TLS session");
    }
    SSL_set_connect_state(session.get());
    return session;
}

std::string tls_failure_reason(const SSL* session) {
    std::string reason = openssl_reason();
    const long verdict = SSL_get_verify_result(session);
    if (verdict != X509_V_OK) {
        return std::string("certificate refused: ") + X509_verify_cert_error_string(verdict);
    }
    return reason;
}

}  // namespace concurred::crypto
