#include "gateway/app/provider_export.hpp"

#include "gateway/app/provider_export_parts.hpp"

#include <algorithm>
#include <array>

namespace concurred::app {

namespace {

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
        {"usage_input_tokens_no_cache", column::input},
        {"usage_input_tokens_cache_read", column::input},
        {"usage_input_tokens_cache_write_5m", column::input},
        {"usage_input_tokens_cache_write_1h", column::input},
        {"output_tokens", column::output},
        {"usage_output_tokens", column::output},
    };
    for (const auto& [text, what] : known) {
        if (text == name) {
            return what;
        }
    }
    return column::ignored;
}

}  // namespace

base::result<std::vector<exported_usage>> read_export_csv(std::string_view text) {
    std::vector<column> columns;
    for (const std::string& name : read_record(text)) {
        columns.push_back(column_of(name));
    }
    for (const auto& [needed, name] : {std::pair(column::day, "a day"), std::pair(column::model, "a model")}) {
        if (std::find(columns.begin(), columns.end(), needed) == columns.end()) {
            return bad_export(
                std::string("its first line names no column for ") + name +
                " (allowed: date, day, usage_date_utc, start_time, start_time_iso; model, model_version)");
        }
    }
    if (std::none_of(columns.begin(), columns.end(), [](column c) { return c >= column::requests; })) {
        return bad_export(
            "its first line names no column of requests or tokens (allowed: requests, num_model_requests; "
            "input_tokens, "
            "usage_input_tokens_no_cache, ..._cache_read, ..._cache_write_5m, ..._cache_write_1h; output_tokens, "
            "usage_output_tokens)");
    }
    export_collector all;
    for (int line = 2; !text.empty(); ++line) {
        const auto fields = read_record(text);
        if (fields.size() == 1 && fields[0].empty()) {
            continue;
        }
        exported_usage one;
        bool dated = false;
        for (std::size_t i = 0; i < std::min(fields.size(), columns.size()); ++i) {
            const auto count = [&](std::optional<std::uint64_t>& into) {
                const auto value = fields[i].empty() ? std::optional<std::uint64_t>(0) : whole_number(fields[i]);
                if (value) {
                    into = into.value_or(0) + *value;
                }
                return value.has_value();
            };
            bool good = true;
            if (columns[i] == column::day && !dated) {
                const auto day = export_day(fields[i]);
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
                return bad_export("line " + std::to_string(line) + ", column " + std::to_string(i + 1) +
                                  " is no date or whole number");
            }
        }
        if (!one.model.empty()) {
            all.add(one);
        } else if (one.requests.value_or(0) + one.input_tokens.value_or(0) + one.output_tokens.value_or(0) != 0) {
            return bad_export("line " + std::to_string(line) + " names no model: export it grouped by model");
        }
    }
    return all.take();
}

base::result<std::vector<exported_usage>> read_provider_export(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) {
        text.remove_prefix(3);
    }
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return bad_export("it is empty");
    }
    text.remove_prefix(first);
    return text[0] == '{' || text[0] == '[' ? read_export_json(text) : read_export_csv(text);
}

}  // namespace concurred::app
