#include "upstream/think_splitter.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

constexpr std::string_view opening = "<think>";
constexpr std::string_view closing = "</think>";
constexpr std::string_view space = " \t\r\n";

/// Drops white space at the front.
void trim_front(std::string& text) {
    text.erase(0, std::min(text.find_first_not_of(space), text.size()));
}

/// How much of the end of `text` may be white space before a closing tag, or the begin of one.
std::size_t open_end(std::string_view text) noexcept {
    std::size_t tag = 0;
    for (std::size_t size = std::min(text.size(), closing.size() - 1); size != 0 && tag == 0; --size) {
        tag = text.ends_with(closing.substr(0, size)) ? size : 0;
    }
    const std::size_t last = text.substr(0, text.size() - tag).find_last_not_of(space);
    return last == std::string_view::npos ? text.size() : text.size() - last - 1;
}

}  // namespace

/// Whether it is decided what the text begins with.
bool think_splitter::open(std::string& content) {
    const std::size_t first = held_.find_first_not_of(space);
    const std::string_view rest =
        first == std::string::npos ? std::string_view() : std::string_view(held_).substr(first);
    if (rest.starts_with(opening)) {
        held_.erase(0, first + opening.size());
        stage_ = stage::thinking;
        return true;
    }
    if (opening.starts_with(rest)) {
        return false;
    }
    content += held_;
    held_.clear();
    stage_ = stage::content;
    return true;
}

void think_splitter::think(std::string& reasoning) {
    if (!any_) {
        trim_front(held_);
    }
    const std::size_t end = held_.find(closing);
    std::size_t size = end == std::string::npos ? held_.size() - open_end(held_) : end;
    if (end != std::string::npos) {
        const std::size_t last = std::string_view(held_).substr(0, end).find_last_not_of(space);
        size = last == std::string::npos ? 0 : last + 1;
    }
    reasoning.append(held_, 0, size);
    any_ = any_ || size != 0;
    if (end == std::string::npos) {
        held_.erase(0, size);
        return;
    }
    held_.erase(0, end + closing.size());
    stage_ = stage::after;
}

void think_splitter::feed(std::string_view text, std::string& reasoning, std::string& content) {
    if (stage_ == stage::content) {
        content += text;
        return;
    }
    held_ += text;
    if (stage_ == stage::before && !open(content)) {
        return;
    }
    if (stage_ == stage::thinking) {
        think(reasoning);
    }
    if (stage_ == stage::after) {
        trim_front(held_);
        if (!held_.empty()) {
            content += held_;
            held_.clear();
            stage_ = stage::content;
        }
    }
}

void think_splitter::finish(std::string& reasoning, std::string& content) {
    if (stage_ == stage::thinking) {
        const std::size_t last = held_.find_last_not_of(space);
        reasoning.append(held_, 0, last == std::string::npos ? 0 : last + 1);
    } else if (stage_ == stage::before) {
        content += held_;
    }
    held_.clear();
    stage_ = stage::content;
}

}  // namespace concurred::upstream
