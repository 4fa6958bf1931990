#pragma once

#include <string>
#include <string_view>

namespace concurred::upstream {

/// Takes `<think>…</think>` at the front of a text that comes in pieces apart from what follows it. White space around
/// the two is dropped. A tag that is not closed holds reasoning to the end. Anywhere but at the front a tag is text.
class think_splitter {
public:
    /// Appends what is certain to belong to the one or the other.
    void feed(std::string_view text, std::string& reasoning, std::string& content);
    /// Appends what was held back because it could have become a tag.
    void finish(std::string& reasoning, std::string& content);

    /// Whatever follows is content.
    [[nodiscard]] bool passes() const noexcept { return stage_ == stage::content; }

private:
    enum class stage { before, thinking, after, content };

    bool open(std::string& content);
    void think(std::string& reasoning);

    stage stage_ = stage::before;
    bool any_ = false;  // something was given out of the current part
    std::string held_;
};

}  // namespace concurred::upstream
