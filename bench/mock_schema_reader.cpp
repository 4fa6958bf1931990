#include "bench/mock_schema_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <stdexcept>
#include <utility>

namespace concurred::bench {
namespace {

using form = mock_schema::form;

constexpr std::array<std::pair<std::string_view, form>, 7> words{{
    {"any", form::any},
    {"string", form::string},
    {"number", form::number},
    {"integer", form::integer},
    {"boolean", form::boolean},
    {"null", form::null},
    {"object", form::object},
}};

bool in_name(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

}  // namespace

mock_schema_reader::names mock_schema_reader::read() {
    names found;
    for (skip(); at_ < text_.size(); skip()) {
        const std::string defined = name();
        need("=");
        if (!found.emplace(defined, type()).second) {
            complain("is defined twice: " + defined);
        }
    }
    for (const auto& one : nodes_) {
        if (one.is == form::reference && !found.contains(one.text)) {
            complain("is not defined: " + one.text);
        }
    }
    return found;
}

std::size_t mock_schema_reader::type() {
    const std::size_t first = alternative();
    if (!take("|")) {
        return first;
    }
    node either;
    either.is = form::either;
    either.parts.push_back(first);
    do {
        either.parts.push_back(alternative());
    } while (take("|"));
    return add(std::move(either));
}

std::size_t mock_schema_reader::alternative() {
    if (take("\"")) {
        node literal;
        literal.is = form::literal;
        const std::size_t end = text_.find('"', at_);
        literal.text = text_.substr(at_, end - at_);
        at_ = std::min(end, text_.size() - 1) + 1;
        return add(std::move(literal));
    }
    if (take("[")) {
        node array;
        array.is = form::array;
        array.parts.push_back(type());
        need("]");
        limits(array);
        return add(std::move(array));
    }
    return add(take("{") ? record() : word());
}

mock_schema::node mock_schema_reader::record() {
    node made;
    if (take("*")) {
        made.is = form::map;
        need(":");
        made.parts.push_back(type());
        need("}");
        return made;
    }
    made.is = form::record;
    while (!take("}")) {
        if (take("...")) {
            made.open = true;
        } else {
            mock_schema::field one{name(), 0, !take("?")};
            need(":");
            one.type = type();
            made.fields.push_back(std::move(one));
        }
        if (!take(",")) {
            need("}");
            break;
        }
    }
    return made;
}

mock_schema::node mock_schema_reader::word() {
    node made;
    made.text = name();
    const auto* known =
        std::ranges::find(words, std::string_view(made.text), &std::pair<std::string_view, form>::first);
    made.is = known == words.end() ? form::reference : known->second;
    if (made.is == form::string || made.is == form::number || made.is == form::integer) {
        limits(made);
    }
    return made;
}

void mock_schema_reader::limits(node& of) {
    if (take("(")) {
        of.low = number(std::numeric_limits<double>::lowest());
        need("..");
        of.high = number(std::numeric_limits<double>::max());
        need(")");
    }
}

double mock_schema_reader::number(double otherwise) {
    skip();
    double value = otherwise;
    // A number must not take a point of the `..` behind it.
    const std::size_t end = std::min(text_.find("..", at_), text_.find(')', at_));
    const auto parsed = std::from_chars(text_.data() + at_, text_.data() + std::min(end, text_.size()), value);
    at_ = static_cast<std::size_t>(parsed.ptr - text_.data());
    return value;
}

std::size_t mock_schema_reader::add(node one) {
    nodes_.push_back(std::move(one));
    return nodes_.size() - 1;
}

void mock_schema_reader::skip() {
    at_ = std::min(text_.find_first_not_of(" \n\t", at_), text_.size());
}

bool mock_schema_reader::take(std::string_view mark) {
    skip();
    const bool found = text_.substr(at_).starts_with(mark);
    at_ += found ? mark.size() : 0;
    return found;
}

void mock_schema_reader::need(std::string_view mark) {
    if (!take(mark)) {
        complain(mark);
    }
}

std::string mock_schema_reader::name() {
    skip();
    const std::size_t begin = at_;
    while (at_ < text_.size() && in_name(text_[at_])) {
        ++at_;
    }
    if (at_ == begin) {
        complain("a name");
    }
    return std::string(text_.substr(begin, at_ - begin));
}

void mock_schema_reader::complain(std::string_view what) const {
    throw std::logic_error("schema: " + std::string(what) + " at: " + std::string(text_.substr(at_, 40)));
}

}  // namespace concurred::bench
