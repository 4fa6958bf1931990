#include "upstream/token_pattern.hpp"

#include "gateway/http/json_lexer.hpp"

namespace concurred::upstream {

namespace {

std::size_t offset_of(std::string_view part, std::string_view whole) noexcept {
    return static_cast<std::size_t>(part.data() - whole.data());
}

bool begins_with(const char* p, const char* end, std::string_view text) noexcept {
    return std::string_view(p, static_cast<std::size_t>(end - p)).starts_with(text);
}

}  // namespace

void token_pattern::learn(std::string_view event, std::string_view text, std::string_view hole, std::string_view out,
                          std::string_view out_text) {
    const std::size_t begin = offset_of(text, event);
    const std::size_t end = begin + text.size();
    const std::size_t gap = hole.empty() ? event.size() : offset_of(hole, event);
    if (gap < end) {
        return;
    }
    known_ = true;
    has_hole_ = !hole.empty();
    front_.assign(event, 0, begin);
    middle_.assign(event, end, gap - end);
    back_.assign(event.substr(gap + hole.size()));
    const std::size_t place = offset_of(out_text, out);
    out_front_.assign(out, 0, place);
    out_back_.assign(out.substr(place + out_text.size()));
}

bool token_pattern::match(std::string_view event, found& f) const noexcept {
    if (!known_ || !event.starts_with(front_)) {
        return false;
    }
    const char* const end = event.data() + event.size();
    const char* const text = event.data() + front_.size();
    http::detail::json_lexer lexer{end};
    bool escaped = false;
    const char* const behind = lexer.string(text, escaped);
    if (behind == nullptr || !begins_with(behind - 1, end, middle_)) {
        return false;
    }
    const char* p = behind - 1 + middle_.size();
    const char* const hole = p;
    if (has_hole_) {
        p = p != end && *p == '{' ? lexer.container(p, http::max_json_depth) : nullptr;
        if (p == nullptr) {
            return false;
        }
    }
    f.text = {text, static_cast<std::size_t>(behind - 1 - text)};
    f.hole = {hole, static_cast<std::size_t>(p - hole)};
    return std::string_view(p, static_cast<std::size_t>(end - p)) == back_;
}

void token_pattern::append(std::string& out, std::string_view text) const {
    out.append(out_front_).append(text).append(out_back_);
}

}  // namespace concurred::upstream
