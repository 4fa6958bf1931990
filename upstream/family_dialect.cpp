#include "upstream/dialect.hpp"
#include "upstream/family_answer.hpp"
#include "upstream/family_request.hpp"

namespace concurred::upstream {

namespace {

/// One for each policy.
class family final : public dialect {
public:
    explicit family(const family_policy& policy) noexcept : policy_(policy) {}

    base::result<translated_request> request(std::string_view body, const translation_context& context) const override {
        return to_family_request(body, context, policy_);
    }

    std::unique_ptr<answer_translator> answer(std::string_view, const translation_context& context) const override {
        return std::make_unique<family_answer>(family_answer::settings{
            .policy = &policy_, .model = std::string(context.answer_model), .include_usage = context.include_usage});
    }

private:
    const family_policy& policy_;
};

}  // namespace

const dialect& x_ai_dialect() noexcept {
    static const family the_dialect(x_ai_policy);
    return the_dialect;
}

const dialect& openrouter_dialect() noexcept {
    static const family the_dialect(openrouter_policy);
    return the_dialect;
}

const dialect& minimax_dialect() noexcept {
    static const family the_dialect(minimax_policy);
    return the_dialect;
}

}  // namespace concurred::upstream
