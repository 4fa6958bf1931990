#include "upstream/anthropic_citations.hpp"

#include "upstream/json_writer.hpp"

#include <utility>

namespace concurred::upstream {

void anthropic_citations::take(json_part citation) {
    json_part url;
    json_part title;
    read_members(citation.raw, {{"url", &url}, {"title", &title}});
    if (!url.is_string()) {
        return;
    }
    std::string members;
    json_writer(members).member("url", url.raw).member("title", title.is_string() ? title.raw : "\"\"");
    pending_.push_back(std::move(members));
}

void anthropic_citations::text(std::string_view inside) noexcept {
    for (std::size_t i = 0; i < inside.size(); ++i) {
        const auto octet = static_cast<unsigned char>(inside[i]);
        if ((octet & 0xC0U) == 0x80U) {
            continue;  // not the first octet of a character
        }
        ++end_;
        if (octet == '\\') {
            i += i + 1 < inside.size() && inside[i + 1] == 'u' ? 5U : 1U;
        }
    }
}

void anthropic_citations::end_block(std::string& out) {
    const std::size_t begin = std::exchange(begin_, end_);
    json_writer w(out);
    for (const std::string& members : pending_) {
        w.open('{').text_member("type", "url_citation").key("url_citation").open('{');
        w.number_member("start_index", begin).number_member("end_index", end_).raw(members).close('}').close('}');
    }
    pending_.clear();
}

}  // namespace concurred::upstream
