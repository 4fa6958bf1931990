#include "gateway/pipeline/keys.hpp"

#include "gateway/base/clock.hpp"
#include "gateway/pipeline/router.hpp"
#include "storage/call.hpp"

#include <utility>

namespace concurred::pipeline {

namespace {

using base::errc;
using base::result;
using storage::api_key_row;

// Longer ones are nobody's: no need to ask.
constexpr std::size_t most_id = base::max_id_length;

base::error no_such_key() {
    return base::client_error(errc::not_found, "There is no API key with this id.");
}

auth::key_admin::owner_name owner_of(const http::exchange& x) {
    return std::string(x.usage.owner.view());
}

/// The id in the path; empty if it can be none.
std::string id_of(const http::exchange& x) {
    const auto id = path_parameter(*x.endpoint, x.head.path);
    constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    return id.size() <= most_id && id.find_first_not_of(characters) == std::string_view::npos ? std::string(id)
                                                                                              : std::string();
}

http::response answer(http::exchange& x, unsigned status, std::string content) {
    x.headers.field("Cache-Control", "no-store");
    http::response r;
    r.status = status;
    r.content = std::move(content);
    return r;
}

}  // namespace

base::task<result<http::response>> create_key::handle(http::exchange& x) {
    const result<std::string_view> body = co_await read_json_body(x);
    if (!body) {
        co_return body.error();
    }
    const result<api_key_row> wanted = read_new_key(*body, around_.limits, *owner_of(x));
    if (!wanted) {
        co_return wanted.error();
    }
    const result<auth::issued_key> made = co_await around_.admin.create(*wanted, around_.limits.keys_per_owner);
    if (!made) {
        co_return made.error();
    }
    co_return answer(x, 201, render_new_key(*made));
}

base::task<key_usage> list_keys::usage_of(std::string owner, std::int32_t today) {
    storage::usage_query query;
    query.owner = std::move(owner);
    query.to_day = today;
    query.group = storage::usage_group::key;
    auto read = [this, query] { return around_.usage.query(query); };
    const auto report = co_await storage::call(around_.database, around_.shard, std::move(read));
    key_usage used;
    if (report && *report) {
        for (const storage::usage_point& point : (*report)->series) {
            used[point.name] += point.sums;
        }
    }
    co_return used;
}

base::task<result<http::response>> list_keys::handle(http::exchange& x) {
    const auth::key_admin::owner_name owner = owner_of(x);
    const result<std::vector<api_key_row>> rows = co_await around_.admin.list(owner, false);
    if (!rows) {
        co_return rows.error();
    }
    const key_usage used = co_await usage_of(*owner, base::unix_day(x.arrived_at));
    co_return answer(x, 200, render_keys(*rows, used));
}

base::task<result<http::response>> update_key::handle(http::exchange& x) {
    const result<std::string_view> body = co_await read_json_body(x);
    if (!body) {
        co_return body.error();
    }
    const result<storage::api_key_patch> patch = read_key_patch(*body, around_.limits);
    if (!patch) {
        co_return patch.error();
    }
    const std::string id = id_of(x);
    if (id.empty()) {
        co_return no_such_key();
    }
    const auth::key_admin::owner_name owner = owner_of(x);
    const result<std::optional<api_key_row>> row = co_await around_.admin.update(owner, id, *patch);
    if (!row) {
        co_return row.error();
    }
    if (!*row) {
        co_return no_such_key();
    }
    co_return answer(x, 200, render_key(**row));
}

base::task<result<http::response>> delete_key::handle(http::exchange& x) {
    const std::string id = id_of(x);
    if (id.empty()) {
        co_return no_such_key();
    }
    const auth::key_admin::owner_name owner = owner_of(x);
    const result<std::optional<api_key_row>> row = co_await around_.admin.revoke(owner, id);
    if (!row) {
        co_return row.error();
    }
    if (!*row) {
        co_return no_such_key();
    }
    co_return answer(x, 204, {});
}

base::task<result<http::response>> rotate_key::handle(http::exchange& x) {
    std::chrono::milliseconds grace = default_grace;
    if (x.head.has_body()) {
        const result<std::string_view> body = co_await read_json_body(x);
        if (!body) {
            co_return body.error();
        }
        const result<std::chrono::seconds> chosen = read_grace(*body);
        if (!chosen) {
            co_return chosen.error();
        }
        grace = *chosen;
    }
    const std::string id = id_of(x);
    if (id.empty()) {
        co_return no_such_key();
    }
    const auth::key_admin::owner_name owner = owner_of(x);
    const result<std::optional<auth::rotated_key>> rotated =
        co_await around_.admin.rotate(owner, id, grace, around_.limits.keys_per_owner);
    if (!rotated) {
        co_return rotated.error();
    }
    if (!*rotated) {
        co_return no_such_key();
    }
    co_return answer(x, 201, render_rotated_key(**rotated));
}

}  // namespace concurred::pipeline
