#include "upstream/think_splitter.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;

namespace {

std::string split(std::string_view text, std::size_t size) {
    upstream::think_splitter s;
    std::string reasoning;
    std::string content;
    for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) {
        s.feed(text.substr(0, size), reasoning, content);
    }
    s.finish(reasoning, content);
    return reasoning + "|" + content;
}

}  // namespace

TEST_SUITE("upstream/think_splitter") {
    TEST_CASE("the tag at the front is taken apart, wherever the text is cut") {
        struct row {
            const char* text;
            const char* parts;
        };
        const row rows[] = {
            {"<think>\nSo.\n</think>\n\nHello", "So.|Hello"},
            {"  <think>a < b </th ink> c</think>d <think>e</think>", "a < b </th ink> c|d <think>e</think>"},
            {"Hello <think>no</think>", "|Hello <think>no</think>"},
            {"<think>open \n", "open|"},
            {"<think>open </thi", "open </thi|"},
            {"<thin", "|<thin"},
            {"<think></think>x", "|x"},
            {"", "|"},
            {" \n", "| \n"},
            {"<think>a\n\nb</think>\n", "a\n\nb|"},
        };
        for (const row& r : rows) {
            for (std::size_t size = 1; size < 12; ++size) {
                INFO(r.text << " in pieces of " << size);
                CHECK(split(r.text, size) == r.parts);
            }
        }
    }
}
