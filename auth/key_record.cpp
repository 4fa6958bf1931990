#include "auth/key_record.hpp"

#include "auth/json_members.hpp"
#include "auth/key_limits.hpp"
#include "crypto/bytes.hpp"
#include "crypto/encoding.hpp"
#include "gateway/http/json_string.hpp"

#include <openssl/crypto.h>

#include <charconv>
#include <iterator>
#include <limits>

namespace concurred::auth {

namespace {

constexpr std::int64_t version = 2;  // 1 had no limits but the one of requests
constexpr std::size_t code_digits = 64;

constexpr key_status all_statuses[] = {key_status::valid,         key_status::not_found, key_status::disabled,
                                       key_status::expired,       key_status::forbidden, key_status::rate_limited,
                                       key_status::usage_exceeded};

crypto::secret_string derive(std::string_view secret, std::string_view label) {
    crypto::digest256 key = crypto::hkdf_sha256(secret, {}, label);
    crypto::secret_string kept(crypto::to_view(key));
    OPENSSL_cleanse(key.data(), key.size());
    return kept;
}

void add(std::string& out, std::string_view name, std::int64_t value) {
    out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

void add(std::string& out, std::string_view name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    http::append_json_string(out, value);
}

void add(std::string& out, std::string_view name, std::optional<std::int64_t> value) {
    if (value) {
        add(out, name, *value);
    }
}

// Every limit that a key may have stands here: what is missing would not hold on the other replicas.
std::string text_of(const key_answer& answer) {
    const storage::api_key_row& row = answer.row;
    std::string out = "{\"v\":" + std::to_string(version);
    add(out, "s", static_cast<std::int64_t>(answer.status));
    add(out, "at", answer.verified_ms);
    if (row.id.empty()) {
        return out + "}";
    }
    add(out, "id", row.id);
    add(out, "owner", row.owner_id);
    add(out, "name", row.name);
    add(out, "on", std::int64_t{row.enabled});
    add(out, "rate", std::int64_t{row.rate_limit});
    add(out, "window", row.rate_window_ms);
    out.append(spend_limit_members(row.spend));
    add(out, "expires", row.expires_ms);
    add(out, "deleted", row.deleted_ms);
    return out + "}";
}

bool read_row(const json_members& fields, storage::api_key_row& row) {
    const auto owner = fields.text("owner");
    const auto name = fields.text("name");
    const auto on = fields.integer("on");
    const auto rate = fields.integer("rate");
    const auto window = fields.integer("window");
    if (!owner || !name || !on || !rate || !window || *rate < 1 || *rate > std::numeric_limits<std::uint32_t>::max()) {
        return false;
    }
    row.owner_id = *owner;
    row.name = *name;
    row.enabled = *on != 0;
    row.rate_limit = static_cast<std::uint32_t>(*rate);
    row.rate_window_ms = *window;
    row.spend = read_spend_limits(fields);
    row.expires_ms = fields.integer("expires");
    row.deleted_ms = fields.integer("deleted");
    return true;
}

}  // namespace

key_record_codec::key_record_codec(std::string_view secret)
    : place_key_(derive(secret, "gw/key-cache/place/v1")), code_key_(derive(secret, "gw/key-cache/code/v1")) {}

std::string key_record_codec::place_of(const crypto::digest256& digest) const {
    return crypto::hex_encode(crypto::to_view(crypto::hmac_sha256(place_key_.reveal(), crypto::to_view(digest))));
}

std::string key_record_codec::code_of(std::string_view place, std::string_view signed_text) const {
    std::string all(place);
    all.push_back('\n');  // in no place
    all.append(signed_text);
    return crypto::hex_encode(crypto::to_view(crypto::hmac_sha256(code_key_.reveal(), all)));
}

std::string key_record_codec::encode(std::string_view place, std::uint64_t epoch, const key_answer& answer) const {
    const std::string number = std::to_string(epoch) + ":";
    const std::string text = text_of(answer);
    return number + code_of(place, number + text) + text;
}

key_record_codec::decoded key_record_codec::decode(std::string_view place, std::string_view text) const {
    const decoded forged{.wrong = fault::forged};
    decoded out;
    const auto number = std::from_chars(text.data(), text.data() + text.size(), out.epoch);
    const auto digits = static_cast<std::size_t>(number.ptr - text.data());
    if (number.ec != std::errc() || text.size() < digits + 1 + code_digits || text[digits] != ':') {
        return forged;
    }
    const std::string_view code = text.substr(digits + 1, code_digits);
    const std::string_view content = text.substr(digits + 1 + code_digits);
    const std::string expected = code_of(place, std::string(text.substr(0, digits + 1)).append(content));
    if (!crypto::equal_constant_time(code, expected)) {
        return forged;
    }
    const auto fields = json_members::parse(content);
    if (!fields) {
        return forged;
    }
    const auto status = fields->integer("s");
    const auto verified = fields->integer("at");
    if (fields->integer("v") != version || !status || !verified || *status < 0 ||
        *status >= static_cast<std::int64_t>(std::size(all_statuses))) {
        return {.wrong = fault::version};
    }
    out.answer.status = all_statuses[*status];
    out.answer.verified_ms = *verified;
    out.answer.row.id = fields->text("id").value_or("");
    if (!out.answer.row.id.empty() && !read_row(*fields, out.answer.row)) {
        return {.wrong = fault::version};
    }
    return out;
}

}  // namespace concurred::auth
