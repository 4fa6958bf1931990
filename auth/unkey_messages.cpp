#include "auth/unkey_messages.hpp"

#include "auth/json_members.hpp"
#include "auth/key_limits.hpp"
#include "gateway/base/usage_record.hpp"
#include "gateway/http/json_string.hpp"

#include <algorithm>
#include <stdexcept>

namespace concurred::auth {

namespace {

using http::append_json_string;
using http::json_kind;
using http::json_member;

constexpr std::int64_t most_rate_limit = 1'000'000;
constexpr std::int64_t longest_window_ms = std::int64_t{366} * 24 * 3'600 * 1'000;
constexpr std::string_view limit_name = "requests";
constexpr std::string_view id_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

bool is_id(std::string_view text) noexcept {
    return !text.empty() && text.size() <= base::max_id_length &&
           text.find_first_not_of(id_characters) == std::string_view::npos;
}

void add(std::string& out, std::string_view name, std::string_view text) {
    out.append(",\"").append(name).append("\":");
    append_json_string(out, text);
}

std::optional<std::string> owner_of(const json_members& fields) {
    if (const auto identity = fields.object("identity")) {
        if (auto owner = identity->text("externalId")) {
            return owner;
        }
    }
    return fields.text("ownerId");  // a server of version 1
}

/// The limits of a key: from its metadata, where we put them; of requests else from the limit that Unkey itself
/// applies.
void read_limits(const json_members& fields, storage::api_key_row& row) {
    if (const auto meta = fields.object("meta")) {
        row.spend = read_spend_limits(*meta);
        const auto limit = meta->integer("rateLimit");
        if (limit && *limit >= 1 && *limit <= most_rate_limit) {
            row.rate_limit = static_cast<std::uint32_t>(*limit);
            return;
        }
    }
    const json_member* limits = fields.find("ratelimits");
    if (limits == nullptr || limits->kind != json_kind::array) {
        return;
    }
    http::json_reader reader(limits->value);
    while (const json_member* one = reader.next()) {
        const auto limit = one->kind == json_kind::object ? json_members::parse(one->value) : std::nullopt;
        if (!limit || limit->text("name") != limit_name) {
            continue;
        }
        const auto count = limit->integer("limit");
        const auto window = limit->integer("duration");
        if (count && window && *count >= 1 && *count <= most_rate_limit && *window >= 1 &&
            *window <= longest_window_ms) {
            row.rate_limit = static_cast<std::uint32_t>(*count);
            row.rate_window_ms = *window;
        }
    }
}

/// What key objects and verifications have in common.
void read_row(const json_members& fields, storage::api_key_row& row) {
    row.name = fields.text("name").value_or("");
    // A key made without an owner is an owner of its own: nobody else's usage is mixed with it.
    row.owner_id = owner_of(fields).value_or(row.id);
    row.enabled = fields.boolean("enabled").value_or(true);
    row.expires_ms = fields.integer("expires");
    if (const json_member* meta = fields.find("meta"); meta != nullptr && meta->kind == json_kind::object) {
        row.meta = meta->value;
    }
    read_limits(fields, row);
}

std::optional<key_status> status_of_code(std::string_view code) noexcept {
    constexpr std::pair<std::string_view, key_status> known[] = {
        {"NOT_FOUND", key_status::not_found},
        {"DISABLED", key_status::disabled},
        {"EXPIRED", key_status::expired},
        {"FORBIDDEN", key_status::forbidden},
        {"RATE_LIMITED", key_status::rate_limited},
        {"INSUFFICIENT_PERMISSIONS", key_status::forbidden},
        {"USAGE_EXCEEDED", key_status::usage_exceeded},
    };
    if (code == "VALID" || code.empty()) {
        return std::nullopt;
    }
    const auto* found =
        std::find_if(std::begin(known), std::end(known), [code](const auto& k) { return k.first == code; });
    return found == std::end(known) ? key_status::not_found : found->second;  // the list of codes is an open one
}

bool is_limit(std::string_view name) noexcept {
    return name == "rateLimit" || name == "tokenLimit" || name == "concurrency" || name == "budget";
}

/// `meta` with our own members in place of those that were there; other people's stay.
std::string meta_with(const storage::api_key_row& row, std::string_view attempt) {
    std::string out = "{\"rateLimit\":" + std::to_string(row.rate_limit);
    out.append(spend_limit_members(row.spend));
    if (!attempt.empty()) {
        add(out, "attempt", attempt);
    }
    if (const auto before = json_members::parse(row.meta)) {
        for (const json_member& member : before->members()) {
            if (!is_limit(member.key) && !(member.key == "attempt" && !attempt.empty())) {
                out.append(",\"").append(member.key).append("\":").append(member.value);
            }
        }
    }
    return out + "}";
}

void add_limits(std::string& out, const storage::api_key_row& row, std::string_view attempt) {
    out.append(",\"meta\":").append(meta_with(row, attempt));
    // For Unkey's own pages; not applied there, or our refreshes would use it up.
    out.append(",\"ratelimits\":[{\"name\":\"").append(limit_name).append("\",\"limit\":");
    out.append(std::to_string(row.rate_limit)).append(",\"duration\":").append(std::to_string(row.rate_window_ms));
    out.append(",\"autoApply\":false}]");
}

}  // namespace

boost::system::result<std::string_view, unkey_fault> unkey_data(unsigned status, std::string_view body) noexcept {
    switch (status) {
        case 200:
            break;
        case 401:
        case 403:
            return unkey_fault::refused;
        case 404:
            return unkey_fault::not_found;
        case 429:
            return unkey_fault::limited;
        case 502:
        case 503:
        case 504:
            return unkey_fault::overloaded;
        default:
            return unkey_fault::unavailable;
    }
    const auto envelope = json_members::parse(body);
    if (!envelope || envelope->find("error") != nullptr || !envelope->object("meta")) {
        return unkey_fault::unavailable;
    }
    const json_member* data = envelope->find("data");
    if (data == nullptr || (data->kind != json_kind::object && data->kind != json_kind::array)) {
        return unkey_fault::unavailable;
    }
    return data->value;
}

void throw_exception_from_error(unkey_fault, const boost::source_location&) {
    throw std::logic_error("the data of an answer that has none");
}

std::string unkey_error_code(std::string_view body) {
    const auto envelope = json_members::parse(body);
    const auto error = envelope ? envelope->object("error") : std::nullopt;
    std::string type = error ? error->text("type").value_or("") : std::string();
    if (const auto at = type.rfind("/errors/"); at != std::string::npos) {
        type.erase(0, at + 8);
    }
    std::erase_if(type, [](char c) { return c != '/' && id_characters.find(c) == std::string_view::npos; });
    return type.substr(0, 80);
}

crypto::secret_string unkey_verify_body(std::string_view key) {
    std::string body;
    body.reserve(key.size() * 6 + 64);  // no copy is left behind by growing
    body = "{\"key\":";
    append_json_string(body, key);
    body += ",\"credits\":{\"cost\":0}}";
    return crypto::secret_string(std::move(body));
}

std::optional<key_answer> parse_unkey_verification(std::string_view data, std::uint32_t default_rate_limit,
                                                   std::int64_t now_ms) {
    const auto fields = json_members::parse(data);
    const auto valid = fields ? fields->boolean("valid") : std::nullopt;
    const auto code = fields ? fields->text("code") : std::nullopt;
    if (!valid || !code || *valid != (*code == "VALID")) {
        return std::nullopt;
    }
    key_answer answer{.verified_ms = now_ms};
    answer.row.rate_limit = default_rate_limit;
    if (const auto id = fields->text("keyId"); id && is_id(*id)) {
        answer.row.id = *id;
        read_row(*fields, answer.row);
    } else if (*valid) {
        return std::nullopt;
    }
    answer.status = *valid ? key_status::valid : status_of_code(*code).value_or(key_status::not_found);
    return answer;
}

std::string unkey_create_body(std::string_view api_id, const storage::api_key_row& row, std::string_view attempt) {
    std::string out = "{\"prefix\":\"ck\",\"byteLength\":24";
    add(out, "apiId", api_id);
    add(out, "name", row.name);
    add(out, "externalId", row.owner_id);
    if (row.expires_ms) {
        out.append(",\"expires\":").append(std::to_string(*row.expires_ms));
    }
    out.append(",\"enabled\":").append(row.enabled ? "true" : "false");
    add_limits(out, row, attempt);
    return out + "}";
}

std::string unkey_update_body(const storage::api_key_row& row) {
    std::string out = "{\"enabled\":";
    out.append(row.enabled ? "true" : "false");
    add(out, "keyId", row.id);
    add(out, "name", row.name);
    out.append(",\"expires\":").append(row.expires_ms ? std::to_string(*row.expires_ms) : "null");
    add_limits(out, row, {});
    return out + "}";
}

std::string unkey_id_body(std::string_view key_id) {
    std::string out = "{\"keyId\":";
    append_json_string(out, key_id);
    return out + "}";
}

std::string unkey_reroll_body(std::string_view key_id, std::int64_t grace_ms) {
    std::string out = "{\"expiration\":" + std::to_string(grace_ms);
    add(out, "keyId", key_id);
    return out + "}";
}

std::string unkey_list_body(std::string_view api_id, std::string_view owner, std::string_view cursor) {
    std::string out = "{\"limit\":100";
    add(out, "apiId", api_id);
    if (!owner.empty()) {
        add(out, "externalId", owner);
    }
    if (!cursor.empty()) {
        add(out, "cursor", cursor);
    }
    return out + "}";
}

bool is_unkey_owner(std::string_view owner) noexcept {
    return !owner.empty() && owner.size() <= base::max_id_length && std::all_of(owner.begin(), owner.end(), [](char c) {
        return c == '.' || c == '-' || id_characters.find(c) != std::string_view::npos;
    });
}

std::optional<unkey_new_key> parse_unkey_new_key(std::string_view data) {
    const auto fields = json_members::parse(data);
    auto id = fields ? fields->text("keyId") : std::nullopt;
    auto key = fields ? fields->text("key") : std::nullopt;
    if (!id || !key || !is_id(*id) || key->empty()) {
        return std::nullopt;
    }
    return unkey_new_key{std::move(*id), crypto::secret_string(std::move(*key))};
}

std::optional<storage::api_key_row> parse_unkey_key(std::string_view object, std::uint32_t default_rate_limit) {
    const auto fields = json_members::parse(object);
    const auto id = fields ? fields->text("keyId") : std::nullopt;
    if (!id || !is_id(*id)) {
        return std::nullopt;
    }
    storage::api_key_row row;
    row.id = *id;
    row.rate_limit = default_rate_limit;
    read_row(*fields, row);
    row.start = fields->text("start").value_or("");
    row.created_ms = fields->integer("createdAt").value_or(0);
    row.updated_ms = fields->integer("updatedAt").value_or(row.created_ms);
    row.last_used_ms = fields->integer("lastUsedAt");
    return row;
}

std::optional<unkey_page> parse_unkey_page(std::string_view body, std::uint32_t default_rate_limit) {
    const auto envelope = json_members::parse(body);
    const json_member* data = envelope ? envelope->find("data") : nullptr;
    if (data == nullptr || data->kind != json_kind::array) {
        return std::nullopt;
    }
    unkey_page page;
    http::json_reader reader(data->value);
    while (const json_member* one = reader.next()) {
        auto row = parse_unkey_key(one->value, default_rate_limit);
        if (!row) {
            return std::nullopt;
        }
        page.keys.push_back(std::move(*row));
    }
    const auto pagination = envelope->object("pagination");
    if (pagination && pagination->boolean("hasMore").value_or(false)) {
        page.cursor = pagination->text("cursor").value_or("");
    }
    return page;
}

std::string unkey_attempt_of(const storage::api_key_row& row) {
    const auto meta = json_members::parse(row.meta);
    return meta ? meta->text("attempt").value_or("") : std::string();
}

}  // namespace concurred::auth
