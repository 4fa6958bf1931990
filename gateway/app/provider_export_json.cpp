#include "gateway/app/provider_export_parts.hpp"
#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"

// https://platform.openai.com/docs/api-reference/usage/completions and
// https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages, as of 2026-11.

namespace concurred::app {

namespace {

/// Adds a count to a sum. Where it is null there is none.
void add_count(std::optional<std::uint64_t>& sum, std::string_view value) {
    if (const auto count = whole_number(value)) {
        sum = sum.value_or(0) + *count;
    }
}

exported_usage read_result(std::string_view result, std::int32_t day) {
    exported_usage one;
    one.day = day;
    http::json_reader values(result);
    while (const http::json_member* v = values.next()) {
        if (v->key == "model" && v->kind == http::json_kind::string) {
            one.model = http::json_unquote(v->value).value_or("");
        } else if (v->key == "num_model_requests") {
            add_count(one.requests, v->value);
        } else if (v->key == "input_tokens" || v->key == "uncached_input_tokens" ||
                   v->key == "cache_read_input_tokens") {
            add_count(one.input_tokens, v->value);
        } else if (v->key == "output_tokens") {
            add_count(one.output_tokens, v->value);
        } else if (v->key == "cache_creation" && v->kind == http::json_kind::object) {
            http::json_reader kinds(v->value);
            while (const http::json_member* kind = kinds.next()) {
                add_count(one.input_tokens, kind->value);
            }
        }
    }
    return one;
}

base::result<void> read_bucket(std::string_view text, export_collector& all) {
    std::optional<std::int32_t> day;
    std::optional<std::string_view> results;
    http::json_reader fields(text);
    while (const http::json_member* f = fields.next()) {
        if (f->key == "start_time") {
            day = export_day(f->value);
        } else if (f->key == "starting_at" && f->kind == http::json_kind::string) {
            day = export_day(http::json_unquote(f->value).value_or(""));
        } else if (f->key == "results" && f->kind == http::json_kind::array) {
            results = f->value;
        }
    }
    if (!day || !results) {
        return bad_export("an entry of 'data' has no 'start_time' in Unix seconds, no 'starting_at', or no 'results'");
    }
    http::json_reader rows(*results);
    while (const http::json_member* row = rows.next()) {
        exported_usage one = read_result(row->value, *day);
        if (one.model.empty()) {
            return bad_export("a result has no 'model': ask for the export with group_by model");
        }
        all.add(one);
    }
    return {};
}

/// @returns whether more pages follow
base::result<bool> read_page(std::string_view text, export_collector& all) {
    bool more = false;
    bool data = false;
    http::json_reader page(text);
    while (const http::json_member* member = page.next()) {
        if (member->key == "has_more") {
            more = member->value == "true";
        } else if (member->key == "data" && member->kind == http::json_kind::array) {
            data = true;
            http::json_reader buckets(member->value);
            while (const http::json_member* bucket = buckets.next()) {
                if (auto read = read_bucket(bucket->value, all); !read) {
                    return std::move(read).error();
                }
            }
        }
    }
    if (!data) {
        return bad_export("a page has no 'data'");
    }
    return more;
}

}  // namespace

// One page, or an array of pages.
base::result<std::vector<exported_usage>> read_export_json(std::string_view text) {
    if (const auto error = http::check_json(text)) {
        return bad_export(http::describe(text, *error));
    }
    export_collector all;
    base::result<bool> more = false;
    if (text.front() == '[') {
        http::json_reader pages(text);
        while (const http::json_member* page = pages.next()) {
            more = read_page(page->value, all);
            if (!more) {
                return std::move(more).error();
            }
        }
    } else {
        more = read_page(text, all);
    }
    if (!more) {
        return std::move(more).error();
    }
    if (*more) {
        return bad_export("its last page says that more follow ('has_more'): put all pages into one array");
    }
    return all.take();
}

}  // namespace concurred::app
