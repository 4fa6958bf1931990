#pragma once

#include "gateway/base/json_text.hpp"

#include <concepts>
#include <string>
#include <string_view>

namespace concurred::app {

/// One JSON object, put together member by member in the order they are added.
class json_object {
public:
    json_object& add(std::string_view name, std::string_view text) {
        begin(name);
        base::append_json_text(text_, text);
        return *this;
    }
    json_object& add(std::string_view name, const char* text) { return add(name, std::string_view(text)); }
    template <class Boolean>
    requires std::same_as<Boolean, bool> json_object& add(std::string_view name, Boolean value) {
        return add_json(name, value ? "true" : "false");
    }
    template <std::integral Integer>
    requires(!std::same_as<Integer, bool>) json_object& add(std::string_view name, Integer value) {
        return add_json(name, std::to_string(value));
    }
    /// @param json a complete JSON value
    json_object& add_json(std::string_view name, std::string_view json) {
        begin(name);
        text_.append(json);
        return *this;
    }

    /// @param members each with a comma in front
    json_object& add_members(std::string_view members) {
        text_.append(members.substr(text_.size() > 1 || members.empty() ? 0 : 1));
        return *this;
    }

    /// The object so far.
    [[nodiscard]] std::string text() const { return text_ + "}"; }

private:
    void begin(std::string_view name) {
        text_.append(text_.size() > 1 ? "," : "");
        base::append_json_text(text_, name);
        text_.push_back(':');
    }

    std::string text_ = "{";
};

}  // namespace concurred::app
