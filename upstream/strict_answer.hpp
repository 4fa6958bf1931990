#pragma once

#include "upstream/dialect.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace concurred::upstream {

/// Holds the arguments of calls of strict tools against their schemas, for providers that do not. Calls of a stream
/// wait until they are whole and right; so a model that got one wrong may be asked again. Everything else goes on as
/// the translator behind it says it.
class strict_answer final : public answer_translator {
public:
    /// @param tools the client's `tools`, valid for the call
    strict_answer(std::unique_ptr<answer_translator> inner, std::string_view tools);

    void feed(std::string_view bytes, std::string& out) override;
    void finish(std::string& out) override;
    [[nodiscard]] base::result<std::string> whole(std::string_view body) override;

private:
    struct call {
        std::string name;
        std::string arguments;
    };

    void pass(std::string& out);
    void pass_event(std::string_view event, std::string& out);
    void collect(std::string_view choice);
    void add_calls(std::string_view calls, unsigned choice);
    [[nodiscard]] bool all_right();
    void take_state(bool end);

    std::unique_ptr<answer_translator> inner_;
    std::map<std::string, std::string, std::less<>> schemas_;  // of the strict tools, by name
    std::map<std::pair<unsigned, std::uint64_t>, call> calls_;
    std::string said_;  // by the translator, not looked at yet
    std::string held_;  // events since the first call
    bool holding_ = false;
};

}  // namespace concurred::upstream
