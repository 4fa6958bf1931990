#include "upstream/google_parts.hpp"

#include "gateway/http/json_string.hpp"
#include "gateway/http/request_head.hpp"
#include "upstream/data_url.hpp"
#include "upstream/refusal.hpp"

namespace concurred::upstream {

namespace {

using base::result;

/// The text of a JSON string; without a copy when nothing in it is escaped.
std::string_view text_of(const json_part& part, std::string& scratch) {
    if (!part.is_string()) {
        return {};
    }
    const std::string_view inside = part.raw.substr(1, part.raw.size() - 2);
    if (inside.find('\\') == std::string_view::npos) {
        return inside;
    }
    scratch = part.text();
    return scratch;
}

void append_inline(json_writer& w, std::string_view media_type, std::string_view data) {
    w.open('{').key("inlineData").open('{').text_member("mimeType", media_type).text_member("data", data);
    w.close('}').close('}');
}

void append_uri(json_writer& w, std::string_view uri, std::string_view media_type = {}) {
    w.open('{').key("fileData").open('{');
    if (!media_type.empty()) {
        w.text_member("mimeType", media_type);
    }
    w.text_member("fileUri", uri).close('}').close('}');
}

/// What the name of a picture says of its type; empty: nothing.
std::string_view media_type_of(std::string_view url) noexcept {
    constexpr std::pair<std::string_view, std::string_view> types[] = {
        {".png", "image/png"}, {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}, {".webp", "image/webp"},
        {".bmp", "image/bmp"}, {".gif", "image/gif"},  {".heic", "image/heic"}, {".heif", "image/heif"}};
    const std::string_view path = url.substr(0, url.find_first_of("?#"));
    for (const auto& [ending, type] : types) {
        if (path.size() >= ending.size() && http::iequals(path.substr(path.size() - ending.size()), ending)) {
            return type;
        }
    }
    return {};
}

/// What Gemini fetches by itself: addresses that are open to everyone or signed, its own Files API, Cloud Storage, and
/// videos of YouTube.
bool is_fetched(std::string_view url) noexcept {
    return url.starts_with("https://") || url.starts_with("gs://");
}

result<void> append_image(json_writer& w, const json_part& image, const std::string& path) {
    const json_part url = image.is_string() ? image : member_of(image.raw, "url");
    std::string scratch;
    const std::string_view address = text_of(url, scratch);
    if (const auto data = parse_data_url(address)) {
        append_inline(w, data->media_type.empty() ? "image/png" : std::string_view(data->media_type), data->data);
        return {};
    }
    if (is_fetched(address)) {
        append_uri(w, address, media_type_of(address));
        return {};
    }
    return refuse(path + ".image_url.url", "'" + path +
                                               ".image_url.url' must be an https: address, a data: URL with base64 "
                                               "data, or a URI of Gemini's Files API.");
}

result<void> append_audio(json_writer& w, const json_part& audio, const std::string& path) {
    json_part data;
    json_part format;
    read_members(audio.raw, {{"data", &data}, {"format", &format}});
    std::string scratch;
    const std::string_view base64 = text_of(data, scratch);
    const std::string name = format.text();
    if (base64.empty() || name.empty()) {
        return refuse(path + ".input_audio", "'" + path + ".input_audio' needs 'data' (base64) and 'format'.");
    }
    append_inline(w, "audio/" + name, base64);
    return {};
}

result<void> append_file(json_writer& w, const json_part& file, const std::string& path) {
    json_part content;
    json_part id;
    read_members(file.raw, {{"file_data", &content}, {"file_id", &id}});
    std::string scratch;
    const std::string_view url = text_of(content, scratch);
    if (const auto data = parse_data_url(url); data && !data->media_type.empty()) {
        append_inline(w, data->media_type, data->data);
        return {};
    }
    const std::string uri = id.text();
    if (url.empty() && is_fetched(uri)) {
        append_uri(w, uri);
        return {};
    }
    if (url.empty() && id) {
        return refuse(
            path + ".file.file_id",
            "This provider (google) does not know OpenAI's file ids: send the file as 'file_data', or the URI "
            "of Gemini's Files API.");
    }
    return refuse(path + ".file.file_data",
                  "'" + path + ".file.file_data' must be a data: URL with a media type and base64 data.");
}

}  // namespace

void append_gemini_text(json_writer& w, const json_part& text) {
    if (text.is_string() && !text.is_empty_string()) {
        w.open('{').member("text", text.raw).close('}');
    }
}

result<void> append_gemini_part(json_writer& w, const json_part& part, const std::string& path) {
    json_part type;
    json_part text;
    json_part image;
    json_part audio;
    json_part file;
    read_members(part.raw,
                 {{"type", &type}, {"text", &text}, {"image_url", &image}, {"input_audio", &audio}, {"file", &file}});
    if (type.equals("text")) {
        append_gemini_text(w, text);
        return text.is_string() ? result<void>() : refuse(path + ".text", "'" + path + ".text' must be a string.");
    }
    if (type.equals("image_url")) {
        return append_image(w, image, path);
    }
    if (type.equals("input_audio")) {
        return append_audio(w, audio, path);
    }
    if (type.equals("file")) {
        return append_file(w, file, path);
    }
    return refuse(path + ".type", "'" + path + ".type' must be text, image_url, input_audio or file.");
}

}  // namespace concurred::upstream
