#include "gateway/pipeline/provider_keys.hpp"

#include "auth/gcra.hpp"
#include "auth/limit_headers.hpp"
#include "gateway/base/json_text.hpp"
#include "gateway/base/utc_text.hpp"
#include "gateway/http/json_string.hpp"
#include "gateway/pipeline/json_fields.hpp"
#include "gateway/pipeline/path_text.hpp"
#include "gateway/pipeline/router.hpp"
#include "storage/call.hpp"
#include "storage/provider_key_rules.hpp"

#include <openssl/crypto.h>

#include <array>
#include <chrono>
#include <utility>

namespace concurred::pipeline {

namespace {

using base::client_error;
using base::errc;
using base::result;

constexpr std::array<std::string_view, 4> fields_of_new{"provider", "slug", "displayName", "apiKey"};
constexpr std::size_t longest_name = 100;
// Each costs the provider a request, and tells whether a key works: nothing to do in a loop.
constexpr auth::gcra_limit tests_per_owner(10, std::chrono::seconds(60));

base::error store_failed() {
    base::error e =
        base::gateway_error(errc::service_unavailable, "Provider keys cannot be read at the moment. Try again soon.");
    e.retry_after = std::chrono::seconds(1);
    return e;
}

// One and the same for a key that does not exist and for somebody else's.
base::error no_such_provider_key() {
    return client_error(errc::not_found, "You have no provider key with this id.");
}

base::error no_master_key() {
    return base::gateway_error(errc::service_unavailable,
                               "This gateway cannot store provider keys: its operator has set no secrets.master_key.");
}

void add_member(std::string& to, std::string_view name, std::string_view value) {
    to += to.ends_with('{') ? "\"" : ",\"";
    to.append(name).append("\":");
    base::append_json_text(to, value);
}

std::string describe(const storage::provider_key_row& row) {
    std::string out = "{";
    add_member(out, "id", row.id);
    add_member(out, "provider", row.provider);
    add_member(out, "slug", row.slug);
    add_member(out, "displayName", row.display_name);
    add_member(out, "lastFour", row.last_four);
    add_member(out, "createdAt", base::utc_timestamp(base::wall_time(std::chrono::milliseconds(row.created_ms))));
    return out + "}";
}

http::response data(unsigned status, std::string_view content) {
    http::response r;
    r.status = status;
    r.content = "{\"success\":true,\"data\":" + std::string(content) + "}\n";
    return r;
}

/// The body has the key in plain text; its memory is used again for the next request.
void wipe(std::string_view body) noexcept {
    // The bytes are the connection's own buffer, not constant: only the view of them is.
    OPENSSL_cleanse(const_cast<char*>(body.data()), body.size());
}

result<storage::new_provider_key> read_new(std::string_view body, std::string_view owner) {
    const auto fields = json_fields::parse(body, fields_of_new);
    if (!fields) {
        return fields.error();
    }
    storage::new_provider_key brought;
    brought.owner = owner;
    auto provider = fields->required_text("provider", 1, 32);
    if (!provider) {
        return std::move(provider).error();
    }
    auto slug = fields->required_text("slug", 1, 64);
    if (!slug) {
        return std::move(slug).error();
    }
    auto name = fields->text("displayName", 1, longest_name);
    if (!name) {
        return std::move(name).error();
    }
    if (!fields->has("apiKey")) {
        return missing_field("apiKey");
    }
    auto key = http::json_unquote(fields->raw("apiKey"));
    brought.key = key ? crypto::secret_string(std::move(*key)) : crypto::secret_string();
    brought.provider = std::move(*provider);
    brought.slug = std::move(*slug);
    brought.display_name = name->value_or(std::string());
    return brought;
}

}  // namespace

base::task<result<http::response>> store_provider_key::handle(http::exchange& x) {
    x.headers.field("Cache-Control", "no-store");
    if (desk_.ring.empty()) {
        co_return no_master_key();
    }
    const std::string owner(x.usage.owner.view());
    const result<std::string_view> body = co_await read_json_body(x);
    if (!body) {
        co_return body.error();
    }
    const auto brought = read_new(*body, owner);
    wipe(*body);
    x.body->release();
    if (!brought) {
        co_return brought.error();
    }
    auto row = storage::make_provider_key(*brought, desk_.ring, base::unix_millis(x.arrived_at));
    if (!row) {
        co_return std::move(row).error();
    }
    const unsigned most = x.settings->limits.provider_keys_per_owner;
    auto insert = [this, &row, most] {
        auto outcome = desk_.store.insert(*row, most);
        if (outcome && *outcome == storage::provider_key_outcome::inserted) {
            desk_.publish();
        }
        return outcome;
    };
    const auto outcome = co_await storage::call(desk_.database, desk_.shard, std::move(insert));
    if (!outcome || !*outcome) {
        co_return store_failed();
    }
    switch (**outcome) {
        case storage::provider_key_outcome::slug_taken: {
            co_return client_error(errc::conflict,
                                   "You have a provider key with the slug '" + row->slug +
                                       "' already. Choose another slug, or delete that key.",
                                   "slug");
        }
        case storage::provider_key_outcome::owner_full: {
            co_return client_error(errc::conflict, "You have " + std::to_string(most) +
                                                       " provider keys, the most there may be. Delete one first.");
        }
        case storage::provider_key_outcome::inserted:
            break;
    }
    co_return data(201, describe(*row));
}

base::task<result<http::response>> list_provider_keys::handle(http::exchange& x) {
    x.headers.field("Cache-Control", "no-store");
    auto read = [this, owner = std::string(x.usage.owner.view())] { return desk_.store.list(owner); };
    const auto rows = co_await storage::call(desk_.database, desk_.shard, std::move(read));
    if (!rows || !*rows) {
        co_return store_failed();
    }
    std::string list = "[";
    for (const storage::provider_key_row& row : **rows) {
        list += (list.size() > 1 ? "," : "") + describe(row);
    }
    co_return data(200, list + "]");
}

base::task<result<http::response>> delete_provider_key::handle(http::exchange& x) {
    auto remove = [this, owner = std::string(x.usage.owner.view()),
                   id = unescaped_path_text(path_parameter(*x.endpoint, x.head.path)),
                   now = base::unix_millis(x.arrived_at)] {
        auto removed = desk_.store.remove(owner, id, now);
        if (removed && *removed) {
            desk_.publish();
        }
        return removed;
    };
    const auto removed = co_await storage::call(desk_.database, desk_.shard, std::move(remove));
    if (!removed || !*removed) {
        co_return store_failed();
    }
    if (!**removed) {
        co_return no_such_provider_key();
    }
    http::response r;
    r.status = 204;
    co_return std::move(r);
}

base::task<result<http::response>> test_provider_key::handle(http::exchange& x) {
    x.headers.field("Cache-Control", "no-store");
    const std::string owner(x.usage.owner.view());
    auto find = [this, &owner, id = unescaped_path_text(path_parameter(*x.endpoint, x.head.path))] {
        return desk_.store.find(owner, id);
    };
    const auto found = co_await storage::call(desk_.database, desk_.shard, std::move(find));
    if (!found || !*found) {
        co_return store_failed();
    }
    if (!**found) {
        co_return no_such_provider_key();
    }
    const storage::provider_key_row& row = ***found;
    auth::key_state& state = desk_.limits.state_for("test:" + owner);
    const auth::limit_decision decision =
        auth::try_acquire(state.tat, tests_per_owner, base::micros(std::chrono::steady_clock::now()));
    if (!decision.allowed) {
        co_return auth::limit_error(decision);
    }
    const upstream::owner_key sealed{row.id, row.owner_id, row.provider, row.slug, row.sealed, row.created_ms};
    const auto opened = desk_.keys.open(sealed, upstream::dialect_of(row.provider));
    if (!opened) {
        co_return opened.error();
    }
    const auto answer = co_await desk_.probe.ask(row.provider, *opened);
    if (!answer) {
        co_return answer.error();
    }
    std::string report = answer->works ? "{\"works\":true" : "{\"works\":false";
    report += ",\"providerStatus\":" + std::to_string(answer->status) + "}";
    co_return data(200, report);
}

}  // namespace concurred::pipeline
