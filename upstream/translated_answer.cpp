#include "upstream/translated_answer.hpp"

namespace concurred::upstream {

answer_reader::taken translated_answer::events(std::span<char> payload, bool ended) {
    output_.clear();
    translator_->feed({payload.data(), payload.size()}, output_);
    if (ended && translator_->error_event().empty()) {
        translator_->finish(output_);
    }
    return {output_, payload.size()};
}

base::result<answer_reader::taken> translated_answer::whole(std::span<char> payload, bool ended) {
    if (payload.size() > max_whole) {
        return base::upstream_error(base::errc::upstream_error, "The provider's answer is longer than 64 MiB.");
    }
    if (!ended) {
        return taken{};
    }
    base::result<std::string> made = translator_->whole({payload.data(), payload.size()});
    if (!made) {
        return made.error();
    }
    output_ = std::move(*made);
    return taken{output_, payload.size()};
}

}  // namespace concurred::upstream
