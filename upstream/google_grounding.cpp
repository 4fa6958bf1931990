#include "upstream/google_grounding.hpp"

#include "gateway/http/json_string.hpp"
#include "upstream/json_writer.hpp"

#include <algorithm>
#include <vector>

namespace concurred::upstream {

namespace {

using http::json_member;
using http::json_reader;

std::vector<std::string_view> elements_of(const json_part& part) {
    std::vector<std::string_view> elements;
    json_reader reader(part.list());
    while (const json_member* m = reader.next()) {
        elements.push_back(m->value);
    }
    return elements;
}

}  // namespace

void gemini_grounding::text(std::string_view inside) {
    text_ += http::json_unescape(inside).value_or(std::string());
}

void gemini_grounding::take(const json_part& metadata) {
    if (metadata.is_object()) {
        metadata_ = metadata.raw;
    }
}

std::size_t gemini_grounding::characters(const json_part& octets, std::size_t otherwise) const {
    const std::size_t size = octets.is_number() ? std::min<std::size_t>(octets.count(), text_.size()) : otherwise;
    const auto begins_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
    return static_cast<std::size_t>(
        std::count_if(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(size), begins_character));
}

void gemini_grounding::append(std::string& out, std::string_view chunk, const json_part& segment) const {
    json_part uri;
    json_part title;
    json_part begin;
    json_part end;
    read_members(member_of(chunk, "web").raw, {{"uri", &uri}, {"title", &title}});
    read_members(segment.raw, {{"startIndex", &begin}, {"endIndex", &end}});
    if (!uri.is_string()) {
        return;
    }
    json_writer w(out);
    w.open('{').text_member("type", "url_citation").key("url_citation").open('{');
    w.number_member("start_index", characters(begin, 0)).number_member("end_index", characters(end, text_.size()));
    w.member("url", uri.raw).member("title", title.is_string() ? title.raw : R"("")").close('}').close('}');
}

std::string gemini_grounding::annotations() const {
    json_part chunks;
    json_part supports;
    read_members(metadata_, {{"groundingChunks", &chunks}, {"groundingSupports", &supports}});
    const std::vector<std::string_view> pages = elements_of(chunks);
    std::string out;
    for (const std::string_view support : elements_of(supports)) {
        json_part segment;
        json_part indices;
        read_members(support, {{"segment", &segment}, {"groundingChunkIndices", &indices}});
        for (const std::string_view index : elements_of(indices)) {
            if (const std::uint64_t page = json_part(index).count(); page < pages.size()) {
                append(out, pages[page], segment);
            }
        }
    }
    if (out.empty()) {  // which page stands for which passage is not told
        for (const std::string_view page : pages) {
            append(out, page, {});
        }
    }
    return out;
}

}  // namespace concurred::upstream
