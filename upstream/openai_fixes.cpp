#include "upstream/openai_fixes.hpp"

#include "gateway/http/json_scan.hpp"

namespace concurred::upstream {

namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Major and minor version of "gpt-5.4-mini" as 54; 0: no such name.
unsigned gpt_version(std::string_view model) noexcept {
    constexpr std::string_view family = "gpt-";
    if (!model.starts_with(family) || model.size() == family.size() || !is_digit(model[family.size()])) {
        return 0;
    }
    model.remove_prefix(family.size());
    const auto major = static_cast<unsigned>(model.front() - '0');
    const bool minor = model.size() > 2 && model[1] == '.' && is_digit(model[2]);
    const bool whole = model.size() == 1 || model[1] == '-' || minor;
    return whole ? 10 * major + (minor ? static_cast<unsigned>(model[2] - '0') : 0) : 0;
}

bool is_o_series(std::string_view model) noexcept {
    return model.size() >= 2 && model[0] == 'o' && is_digit(model[1]);
}

}  // namespace

body_fixes openai_fixes(std::string_view provider, std::string_view model, const chat_request& request) {
    body_fixes fixes;
    if (provider != "openai" || (request.max_tokens_key.empty() && request.tools.empty())) {
        return fixes;
    }
    const unsigned version = gpt_version(model);
    fixes.rename_max_tokens =
        !request.max_tokens_key.empty() && !request.limits_completion && (version >= 50 || is_o_series(model));
    fixes.no_reasoning = version >= 54 && !request.names_effort && request.tools.starts_with('[') &&
                         http::json_reader(request.tools).next() != nullptr;
    return fixes;
}

}  // namespace concurred::upstream
