#pragma once

#include "gateway/http/sse_frame.hpp"
#include "upstream/dialect.hpp"

#include <string>
#include <string_view>

namespace concurred::upstream {

/// An answer of OpenAI's Responses API for a client of the same: every octet goes on as it came, event by event, and
/// what it says of usage, errors and its end is noted.
class responses_answer final : public answer_translator {
public:
    void feed(std::string_view bytes, std::string& out) override;
    void finish(std::string& out) override;
    [[nodiscard]] base::result<std::string> whole(std::string_view body) override;

private:
    void event(std::string_view event, std::string& out);
    [[nodiscard]] bool note(std::string_view data);
    void note_response(std::string_view response);

    http::sse_framer framer_;
    std::string pending_;
    std::string scratch_;
};

}  // namespace concurred::upstream
