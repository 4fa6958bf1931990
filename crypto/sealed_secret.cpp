#include "crypto/sealed_secret.hpp"

#include "crypto/aes_gcm.hpp"
#include "crypto/bytes.hpp"
#include "crypto/digest.hpp"
#include "crypto/encoding.hpp"
#include "crypto/random.hpp"

#include <openssl/crypto.h>

#include <array>
#include <utility>

namespace concurred::crypto {

namespace {

constexpr std::string_view mark = "cpk1.";
constexpr char version = 1;
constexpr char algorithm = 1;  // HKDF-SHA-256 and AES-256-GCM
constexpr std::size_t salt_bytes = 32;
constexpr std::size_t longest_key_id = 255;
constexpr std::size_t longest_secret = 4096;
constexpr std::string_view label = "gw/provider-key/v1";

/// Each part behind its length: no two different places give the same bytes.
void append_part(std::string& to, std::string_view part) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        to.push_back(static_cast<char>(part.size() >> shift & 0xffU));
    }
    to += part;
}

std::string bound_data(std::string_view key_id, const seal_place& place) {
    std::string data;
    append_part(data, std::string_view(&version, 1));
    append_part(data, std::string_view(&algorithm, 1));
    for (const std::string_view part : {key_id, place.table, place.row_id, place.owner, place.provider}) {
        append_part(data, part);
    }
    return data;
}

/// A derived key, wiped when it is done with.
class record_key {
public:
    record_key(std::string_view master, std::string_view salt) : bytes_(hkdf_sha256(master, salt, label)) {}
    ~record_key() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
    record_key(const record_key&) = delete;
    record_key& operator=(const record_key&) = delete;
    [[nodiscard]] std::string_view view() const noexcept { return to_view(bytes_); }

private:
    digest256 bytes_;
};

struct record {
    std::string_view key_id, salt, nonce, sealed;
};

std::optional<record> take_apart(std::string_view bytes) {
    if (bytes.size() < 3 || bytes[0] != version || bytes[1] != algorithm) {
        return std::nullopt;
    }
    const std::size_t id_size = static_cast<unsigned char>(bytes[2]);
    if (id_size == 0 || bytes.size() < 3 + id_size + salt_bytes + gcm_nonce_bytes + gcm_tag_bytes) {
        return std::nullopt;
    }
    record r;
    r.key_id = bytes.substr(3, id_size);
    r.salt = bytes.substr(3 + id_size, salt_bytes);
    r.nonce = bytes.substr(3 + id_size + salt_bytes, gcm_nonce_bytes);
    r.sealed = bytes.substr(3 + id_size + salt_bytes + gcm_nonce_bytes);
    return r;
}

std::optional<std::string> decode(std::string_view text) {
    return text.starts_with(mark) ? base64url_decode(text.substr(mark.size())) : std::nullopt;
}

}  // namespace

base::result<std::string> seal(const key_ring& ring, std::string_view secret, const seal_place& place) {
    if (ring.empty() || secret.size() > longest_secret || ring.active_id().size() > longest_key_id) {
        return base::gateway_error(base::errc::internal, "there is no master key to seal with (secrets.master_key)");
    }
    std::array<std::uint8_t, salt_bytes + gcm_nonce_bytes> random;
    if (auto ok = fill_random(random); !ok) {
        return ok.error();
    }
    const std::string_view salt = to_view(random).substr(0, salt_bytes);
    const std::string_view nonce = to_view(random).substr(salt_bytes);
    const record_key key(ring.active(), salt);
    const auto sealed = aes256_gcm_seal(key.view(), nonce, bound_data(ring.active_id(), place), secret);
    if (!sealed) {
        return base::gateway_error(base::errc::internal, "a secret could not be sealed");
    }
    std::string bytes{version, algorithm, static_cast<char>(ring.active_id().size())};
    bytes.append(ring.active_id()).append(to_view(random)).append(*sealed);
    return std::string(mark) + base64url_encode(bytes);
}

unsealed unseal(const key_ring& ring, std::string_view sealed, const seal_place& place) {
    const auto bytes = decode(sealed);
    const auto parts = bytes ? take_apart(*bytes) : std::nullopt;
    if (!parts) {
        return {};
    }
    const std::string_view master = ring.find(parts->key_id);
    if (master.empty()) {
        return {unseal_fault::unknown_key, {}};
    }
    const record_key key(master, parts->salt);
    auto secret = aes256_gcm_open(key.view(), parts->nonce, bound_data(parts->key_id, place), parts->sealed);
    if (!secret) {
        return {unseal_fault::forged, {}};
    }
    return {unseal_fault::none, std::move(*secret)};
}

std::optional<std::string> sealing_key_of(std::string_view sealed) {
    const auto bytes = decode(sealed);
    const auto parts = bytes ? take_apart(*bytes) : std::nullopt;
    return parts ? std::optional<std::string>(parts->key_id) : std::nullopt;
}

}  // namespace concurred::crypto
