#include "upstream/anthropic_parts.hpp"

#include "crypto/encoding.hpp"
#include "upstream/field_refusal.hpp"
#include "upstream/json_writer.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace concurred::upstream {

namespace {

using base::result;

/// A data URL taken apart.
struct data_url {
    std::string media_type;
    std::string data;  ///< base64 with its padding
};

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

// data:[media type][;parameter]*;base64,data
std::optional<data_url> parse_data_url(std::string_view url) {
    const std::size_t comma = url.find(',');
    if (comma == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string head = lower(url.substr(0, comma));
    if (!head.ends_with(";base64")) {
        return std::nullopt;
    }
    constexpr std::size_t scheme = 5;
    data_url out;
    out.media_type = head.substr(scheme, head.find(';') - scheme);
    out.data = url.substr(comma + 1);
    while (out.data.size() % 4 != 0 && !out.data.empty()) {
        out.data += '=';
    }
    return out;
}

bool is_data_url(std::string_view url) {
    constexpr std::string_view scheme = "data:";
    return url.size() > scheme.size() && lower(url.substr(0, scheme.size())) == scheme;
}

void close_block(json_writer& w, json_part cache_control) {
    if (cache_control) {
        w.member("cache_control", cache_control.raw);
    }
    w.close('}');
}

json_part kept(json_part own, json_part of_message) {
    return own ? own : of_message;
}

constexpr std::array<std::string_view, 4> image_types{"image/jpeg", "image/png", "image/gif", "image/webp"};

}  // namespace

bool is_blank(json_part text) {
    if (text.raw.find('\\') == std::string_view::npos) {
        return text.raw.find_first_not_of(" \"") == std::string_view::npos;
    }
    return text.text().find_first_not_of(" \t\r\n\v\f") == std::string::npos;
}

bool append_text_block(std::string& blocks, json_part text, json_part cache_control) {
    if (is_blank(text)) {
        return false;
    }
    json_writer w(blocks);
    w.open('{').text_member("type", "text").member("text", text.raw);
    close_block(w, cache_control);
    return true;
}

result<void> anthropic_parts::append(std::string& blocks, json_part content, const std::string& where, allowed what,
                                     json_part cache_control) {
    if (!content) {
        return {};
    }
    if (content.is_string()) {
        append_text_block(blocks, content, cache_control);
        return {};
    }
    if (!content.is_array()) {
        return refuse_field(where, "must be a string or an array of content parts.");
    }
    std::size_t count = 0;
    for (http::json_reader parts(content.raw); parts.next() != nullptr;) {
        ++count;
    }
    http::json_reader parts(content.raw);
    for (std::size_t i = 0; const http::json_member* m = parts.next(); ++i) {
        if (m->kind != http::json_kind::object) {
            return refuse_field(at_index(where, i), "must be an object.");
        }
        const json_part of_message = i + 1 == count ? cache_control : json_part();
        if (auto ok = append_part(blocks, m->value, at_index(where, i), what, of_message); !ok) {
            return ok;
        }
    }
    return {};
}

result<void> anthropic_parts::append_part(std::string& blocks, std::string_view part, const std::string& where,
                                          allowed what, json_part cache_control) {
    json_part type;
    json_part text;
    json_part refusal;
    json_part own_cache;
    read_members(part, {{"type", &type}, {"text", &text}, {"refusal", &refusal}, {"cache_control", &own_cache}});
    const json_part cache = kept(own_cache, cache_control);
    if (type.equals("text") || type.equals("refusal")) {
        const json_part words = type.equals("text") ? text : refusal;
        if (!words.is_string()) {
            return refuse_field(where + (type.equals("text") ? ".text" : ".refusal"), "must be a string.");
        }
        append_text_block(blocks, words, cache);
        return {};
    }
    if (type.equals("image_url") && what != allowed::text) {
        return append_image(blocks, part, where, cache);
    }
    if (type.equals("file") && what == allowed::all) {
        return append_file(blocks, part, where, cache);
    }
    if (type.equals("input_audio")) {
        return refuse_field(where + ".type", "is 'input_audio', and models of Anthropic take no audio.");
    }
    return refuse_field(where + ".type", what == allowed::all              ? "must be 'text', 'image_url' or 'file'."
                                         : what == allowed::text_and_image ? "must be 'text' or 'image_url' here."
                                                                           : "must be 'text' here.");
}

result<void> anthropic_parts::append_image(std::string& blocks, std::string_view part, const std::string& where,
                                           json_part cache_control) {
    const std::string field = where + ".image_url.url";
    const json_part image = member_of(part, "image_url");
    const json_part url = image.is_string() ? image : member_of(image.raw, "url");
    if (!url.is_string()) {
        return refuse_field(field, "must be a string.");
    }
    json_writer w(blocks);
    const std::string text = url.text();
    if (!is_data_url(text)) {
        if (lower(std::string_view(text).substr(0, 8)) != "https://") {
            return refuse_field(field, "must be an https:// or a data: URL.");
        }
        w.open('{').text_member("type", "image").key("source").open('{').text_member("type", "url");
        w.member("url", url.raw).close('}');
        close_block(w, cache_control);
        return {};
    }
    std::optional<data_url> data = parse_data_url(text);
    if (!data) {
        return refuse_field(field, "must be base64: data:image/png;base64,...");
    }
    if (data->media_type == "image/jpg") {
        data->media_type = "image/jpeg";
    }
    if (std::find(image_types.begin(), image_types.end(), data->media_type) == image_types.end()) {
        return refuse_field(field, "must be an image/jpeg, image/png, image/gif or image/webp for this model.");
    }
    w.open('{').text_member("type", "image").key("source").open('{').text_member("type", "base64");
    w.text_member("media_type", data->media_type).text_member("data", data->data).close('}');
    close_block(w, cache_control);
    return {};
}

result<void> anthropic_parts::append_file(std::string& blocks, std::string_view part, const std::string& where,
                                          json_part cache_control) {
    const json_part file = member_of(part, "file");
    json_part data;
    json_part id;
    json_part name;
    read_members(file.raw, {{"file_data", &data}, {"file_id", &id}, {"filename", &name}});
    json_writer w(blocks);
    if (id.is_string() && !data.is_string()) {
        // Anthropic's own ids; those of OpenAI begin with "file-".
        if (!id.text().starts_with("file_")) {
            return refuse_field(where + ".file.file_id", "is no id of a file at Anthropic: send 'file_data'.");
        }
        uses_files_ = true;
        w.open('{').text_member("type", "document").key("source").open('{').text_member("type", "file");
        w.member("file_id", id.raw).close('}');
        close_block(w, cache_control);
        return {};
    }
    const std::string field = where + ".file.file_data";
    const std::string url = data.text();
    const std::optional<data_url> parsed = is_data_url(url) ? parse_data_url(url) : std::nullopt;
    if (!parsed) {
        return refuse_field(field, "must be a data URL in base64: data:application/pdf;base64,...");
    }
    const bool pdf = parsed->media_type == "application/pdf";
    if (!pdf && !parsed->media_type.starts_with("text/")) {
        return refuse_field(field, "must be application/pdf or text for this model.");
    }
    w.open('{').text_member("type", "document").key("source").open('{');
    if (pdf) {
        w.text_member("type", "base64").text_member("media_type", parsed->media_type);
        w.text_member("data", parsed->data).close('}');
    } else {
        const std::optional<std::string> decoded = crypto::base64_decode(parsed->data);
        if (!decoded) {
            return refuse_field(field, "is not valid base64.");
        }
        w.text_member("type", "text").text_member("media_type", "text/plain").text_member("data", *decoded).close('}');
    }
    if (name.is_string() && !name.is_empty_string()) {
        w.member("title", name.raw);
    }
    close_block(w, cache_control);
    return {};
}

}  // namespace concurred::upstream
