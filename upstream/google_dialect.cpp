#include "upstream/dialect.hpp"
#include "upstream/google_answer.hpp"
#include "upstream/google_request.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

class google final : public dialect {
public:
    base::result<translated_request> request(std::string_view body, const translation_context& context) const override {
        return to_gemini_request(body, context);
    }

    std::unique_ptr<answer_translator> answer(std::string_view body,
                                              const translation_context& context) const override {
        json_part n;
        json_part parallel;
        json_part search;
        read_members(body, {{"n", &n}, {"parallel_tool_calls", &parallel}, {"web_search_options", &search}});
        return std::make_unique<google_answer>(
            google_answer::settings{.model = std::string(context.answer_model),
                                    .created = context.created,
                                    .include_usage = context.include_usage,
                                    .one_call = parallel.is_false(),
                                    .searches = static_cast<bool>(search),
                                    .candidates = static_cast<unsigned>(std::clamp<std::uint64_t>(n.count(), 1, 8))});
    }
};

}  // namespace

const dialect& google_dialect() noexcept {
    static const google the_dialect;
    return the_dialect;
}

}  // namespace concurred::upstream
