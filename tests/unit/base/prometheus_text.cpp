#include "tests/unit/base/prometheus_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <stdexcept>

namespace concurred::base::test {

namespace {

using pages = std::map<std::string, prometheus_family>;

[[noreturn]] void fail(const std::string& what, std::string_view line) {
    throw std::runtime_error(what + " in: " + std::string(line));
}

bool is_name(std::string_view text, std::string_view others) {
    const auto is_letter = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || others.find(c) != std::string_view::npos;
    };
    return !text.empty() && is_letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

double number(std::string_view text, std::string_view line) {
    if (text == "+Inf") {
        return std::numeric_limits<double>::infinity();
    }
    const std::string copy(text);
    char* end = nullptr;
    const double value = std::strtod(copy.c_str(), &end);
    if (copy.empty() || end != copy.c_str() + copy.size()) {
        fail("no number", line);
    }
    return value;
}

/// Reads a quoted label value at the front of `text` and removes it.
std::string label_value(std::string_view& text, std::string_view line) {
    if (text.empty() || text.front() != '"') {
        fail("label without a quote", line);
    }
    text.remove_prefix(1);
    std::string value;
    while (!text.empty() && text.front() != '"') {
        char c = text.front();
        text.remove_prefix(1);
        if (c == '\\') {
            const std::size_t known = std::string_view("\\\"n").find(text.empty() ? ' ' : text.front());
            if (known == std::string_view::npos) {
                fail("unknown escape", line);
            }
            c = "\\\"\n"[known];
            text.remove_prefix(1);
        }
        value += c;
    }
    if (text.empty()) {
        fail("label without an end", line);
    }
    text.remove_prefix(1);
    return value;
}

prometheus_sample parse_sample(std::string_view line) {
    prometheus_sample sample;
    std::string_view rest = line;
    sample.name = rest.substr(0, rest.find_first_of("{ "));
    rest.remove_prefix(sample.name.size());
    if (!is_name(sample.name, "_:")) {
        fail("bad name", line);
    }
    if (rest.starts_with('{')) {
        do {
            rest.remove_prefix(1);
            const std::string name(rest.substr(0, rest.find('=')));
            if (!is_name(name, "_")) {
                fail("bad label name", line);
            }
            rest.remove_prefix(std::min(rest.size(), name.size() + 1));
            if (!sample.labels.emplace(name, label_value(rest, line)).second) {
                fail("label twice", line);
            }
        } while (rest.starts_with(','));
        if (!rest.starts_with('}')) {
            fail("labels without an end", line);
        }
        rest.remove_prefix(1);
    }
    if (!rest.starts_with(' ')) {
        fail("no value", line);
    }
    sample.value_text = rest.substr(1);
    sample.value = number(sample.value_text, line);
    return sample;
}

void check_histogram(const std::string& name, const prometheus_family& family) {
    std::map<std::map<std::string, std::string>, std::map<std::string, double>> ends;
    std::map<std::map<std::string, std::string>, std::pair<double, double>> last;  // bound, count
    for (const prometheus_sample& sample : family.samples) {
        const std::string suffix = sample.name.substr(name.size());
        if (suffix != "_bucket") {
            ends[sample.labels][suffix] = sample.value;
            continue;
        }
        auto labels = sample.labels;
        const double bound = number(labels.at("le"), sample.name);
        labels.erase("le");
        const auto before = last.find(labels);
        if (before != last.end() && (bound <= before->second.first || sample.value < before->second.second)) {
            fail("buckets out of order", name);
        }
        last[labels] = {bound, sample.value};
    }
    if (ends.size() != last.size()) {
        fail("series without buckets, count or sum", name);
    }
    for (const auto& [labels, bucket] : last) {
        const auto& end = ends.at(labels);
        if (!std::isinf(bucket.first) || end.size() != 2 || !end.contains("_sum") ||
            end.at("_count") != bucket.second) {
            fail("histogram without its end", name);
        }
    }
}

}  // namespace

pages parse_prometheus(std::string_view page) {
    pages families;
    std::set<std::pair<std::string, std::map<std::string, std::string>>> seen;
    std::string current;
    std::string helped;
    while (!page.empty()) {
        const std::size_t end = page.find('\n');
        if (end == std::string_view::npos) {
            fail("no newline at the end", page);
        }
        const std::string_view line = page.substr(0, end);
        page.remove_prefix(end + 1);
        if (line.starts_with("# ")) {
            const std::string_view rest = line.substr(7);
            const std::string name(rest.substr(0, rest.find(' ')));
            const std::string text(rest.substr(std::min(rest.size(), name.size() + 1)));
            if (line.starts_with("# HELP ")) {
                if (families.contains(name)) {
                    fail("family twice", line);
                }
                families[name].help = text;
                helped = name;
            } else if (line.starts_with("# TYPE ") && name == helped) {
                families[name].type = text;
                current = name;
            } else {
                fail("unexpected comment", line);
            }
            continue;
        }
        const prometheus_sample sample = parse_sample(line);
        const bool is_histogram = families[current].type == "histogram";
        const std::string suffix = sample.name.starts_with(current) ? sample.name.substr(current.size()) : "?";
        if (is_histogram ? suffix != "_bucket" && suffix != "_sum" && suffix != "_count" : !suffix.empty()) {
            fail("sample of no family", line);
        }
        if (!seen.emplace(sample.name, sample.labels).second) {
            fail("series twice", line);
        }
        families[current].samples.push_back(sample);
    }
    for (const auto& [name, family] : families) {
        if (family.type == "histogram") {
            check_histogram(name, family);
        } else if (family.type != "counter" && family.type != "gauge") {
            fail("type of " + name, family.type);
        }
        if (family.help.empty() || (family.type == "counter") != name.ends_with("_total")) {
            fail("help or name", name);
        }
    }
    return families;
}

double value_of(const pages& page, const std::string& family, const std::map<std::string, std::string>& labels,
                std::string_view suffix) {
    const auto found = page.find(family);
    if (found == page.end()) {
        fail("no family", family);
    }
    for (const prometheus_sample& sample : found->second.samples) {
        if (sample.name == family + std::string(suffix) && sample.labels == labels) {
            return sample.value;
        }
    }
    fail("no such series", family);
}

}  // namespace concurred::base::test
