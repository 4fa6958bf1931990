#include "upstream/anthropic_answer.hpp"
#include "upstream/anthropic_json.hpp"
#include "upstream/anthropic_request.hpp"

namespace concurred::upstream {

namespace {

class anthropic final : public dialect {
public:
    [[nodiscard]] base::result<translated_request> request(std::string_view body,
                                                           const translation_context& context) const override {
        return to_anthropic(body, context);
    }

    [[nodiscard]] std::unique_ptr<answer_translator> answer(std::string_view body,
                                                            const translation_context& context) const override {
        return std::make_unique<anthropic_answer>(context, anthropic_answer_tool(body, context));
    }
};

}  // namespace

const dialect& anthropic_dialect() noexcept {
    static const anthropic the_one;
    return the_one;
}

}  // namespace concurred::upstream
