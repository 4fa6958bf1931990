#include "gateway/app/provider_export.hpp"

#include "gateway/base/utc_text.hpp"
#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>

namespace concurred::app {

namespace {

constexpr std::int64_t seconds_per_day = 86'400;

base::error bad(std::string what) {
    return base::client_error(base::errc::bad_request, "the provider's export: " + std::move(what));
}

std::optional<std::uint64_t> whole(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    return ec == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// A date, a time that begins with one, or Unix seconds.
std::optional<std::int32_t> day_of(std::string_view text) noexcept {
    if (const auto seconds = whole(text)) {
        return static_cast<std::int32_t>(*seconds / seconds_per_day);
    }
    return base::parse_utc_date(text.substr(0, 10));
}

class collector {
public:
    void add(const exported_usage& one) {
        exported_usage& sum = found_[{one.day, one.model}];
        sum.day = one.day;
        sum.model = one.model;
        const auto plus = [](auto& to, const auto& more) {
            if (more) {
                to = to.value_or(0) + *more;
            }
        };
        plus(sum.requests, one.requests);
        plus(sum.input_tokens, one.input_tokens);
        plus(sum.output_tokens, one.output_tokens);
    }
    [[nodiscard]] std::vector<exported_usage> take() {
        std::vector<exported_usage> all;
        for (auto& [key, sum] : found_) {
            all.push_back(std::move(sum));
        }
        return all;
    }

private:
    std::map<std::pair<std::int32_t, std::string>, exported_usage> found_;
};

/// The fields of one CSV record, and what follows it (RFC 4180).
std::vector<std::string> read_record(std::string_view& text) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            if (c != '"') {
                fields.back().push_back(c);
            } else if (i + 1 < text.size() && text[i + 1] == '"') {
                fields.back().push_back('"');
                ++i;
            } else {
                quoted = false;
            }
        } else if (c == '"') {
            quoted = true;
        } else if (c == ',') {
            fields.emplace_back();
        } else if (c == '\n') {
            ++i;
            break;
        } else if (c != '\r') {
            fields.back().push_back(c);
        }
    }
    text.remove_prefix(i);
    return fields;
}

enum class column : std::uint8_t { ignored, day, model, requests, input, output };

column column_of(std::string name) noexcept {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    static constexpr std::pair<std::string_view, column> known[] = {
        {"date", column::day},
        {"day", column::day},
        {"usage_date_utc", column::day},
        {"start_time_iso", column::day},
        {"start_time", column::day},
        {"model", column::model},
        {"model_version", column::model},
        {"requests", column::requests},
        {"num_model_requests", column::requests},
        {"input_tokens", column::input},
        {"input_no_cache", column::input},
        {"input_cache_read", column::input},
        {"input_cache_write_5m", column::input},
        {"input_cache_write_1h", column::input},
        {"output_tokens", column::output},
    };
    for (const auto& [text, what] : known) {
        if (text == name) {
            return what;
        }
    }
    return column::ignored;
}

base::result<std::vector<exported_usage>> read_csv(std::string_view text) {
    std::vector<column> columns;
    for (const std::string& name : read_record(text)) {
        columns.push_back(column_of(name));
    }
    for (const auto& [needed, name] : {std::pair(column::day, "a day"), std::pair(column::model, "a model")}) {
        if (std::find(columns.begin(), columns.end(), needed) == columns.end()) {
            return bad(std::string("its first line names no column for ") + name +
                       " (allowed: date, day, usage_date_utc, start_time, start_time_iso; model, model_version)");
        }
    }
    collector all;
    for (int line = 2; !text.empty(); ++line) {
        const auto fields = read_record(text);
        if (fields.size() == 1 && fields[0].empty()) {
            continue;
        }
        exported_usage one;
        bool dated = false;
        for (std::size_t i = 0; i < std::min(fields.size(), columns.size()); ++i) {
            const auto count = [&](std::optional<std::uint64_t>& into) {
                const auto value = fields[i].empty() ? std::optional<std::uint64_t>(0) : whole(fields[i]);
                if (value) {
                    into = into.value_or(0) + *value;
                }
                return value.has_value();
            };
            bool good = true;
            if (columns[i] == column::day && !dated) {
                const auto day = day_of(fields[i]);
                good = day.has_value();
                one.day = day.value_or(0);
                dated = true;
            } else if (columns[i] == column::model) {
                one.model = fields[i];
            } else if (columns[i] == column::requests) {
                good = count(one.requests);
            } else if (columns[i] == column::input) {
                good = count(one.input_tokens);
            } else if (columns[i] == column::output) {
                good = count(one.output_tokens);
            }
            if (!good) {
                return bad("line " + std::to_string(line) + ", column " + std::to_string(i + 1) +
                           " is no date or whole number");
            }
        }
        if (!one.model.empty()) {
            all.add(one);
        }
    }
    return all.take();
}

base::result<std::vector<exported_usage>> read_json(std::string_view text) {
    if (const auto error = http::check_json(text)) {
        return bad(http::describe(text, *error));
    }
    collector all;
    http::json_reader root(text);
    while (const http::json_member* member = root.next()) {
        if (member->key != "data" || member->kind != http::json_kind::array) {
            continue;
        }
        http::json_reader buckets(member->value);
        while (const http::json_member* bucket = buckets.next()) {
            std::optional<std::int32_t> day;
            std::string_view results;
            http::json_reader fields(bucket->value);
            while (const http::json_member* f = fields.next()) {
                if (f->key == "start_time") {
                    day = day_of(f->value);
                } else if (f->key == "results" && f->kind == http::json_kind::array) {
                    results = f->value;
                }
            }
            if (!day || results.empty()) {
                return bad("an entry of 'data' has no 'start_time' in Unix seconds or no 'results'");
            }
            http::json_reader rows(results);
            while (const http::json_member* row = rows.next()) {
                exported_usage one;
                one.day = *day;
                http::json_reader values(row->value);
                while (const http::json_member* v = values.next()) {
                    if (v->key == "model" && v->kind == http::json_kind::string) {
                        one.model = http::json_unquote(v->value).value_or("");
                    } else if (v->key == "num_model_requests") {
                        one.requests = whole(v->value);
                    } else if (v->key == "input_tokens") {
                        one.input_tokens = whole(v->value);
                    } else if (v->key == "output_tokens") {
                        one.output_tokens = whole(v->value);
                    }
                }
                if (one.model.empty()) {
                    return bad("a result has no 'model': ask for the export with group_by=model");
                }
                all.add(one);
            }
        }
    }
    return all.take();
}

}  // namespace

base::result<std::vector<exported_usage>> read_provider_export(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) {
        text.remove_prefix(3);
    }
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return bad("it is empty");
    }
    return text[first] == '{' ? read_json(text) : read_csv(text);
}

}  // namespace concurred::app
