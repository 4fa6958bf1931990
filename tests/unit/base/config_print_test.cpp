#include "gateway/base/config_value.hpp"
#include "tests/unit/base/config_fixture.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>

using namespace concurred::base;

namespace {

bool has_line(const std::string& text, std::string_view beginning, std::string_view comment) {
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        if (line.starts_with(beginning) && line.ends_with(comment)) {
            return true;
        }
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    }
    return false;
}

std::string without_comments(const std::string& text) {
    std::string out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        out += line.substr(0, line.find(" # ")) + "\n";
    }
    return out;
}

}  // namespace

TEST_SUITE("base/config_print") {
    TEST_CASE_FIXTURE(config_fixture, "each value is printed with where it came from") {
        environment["OPENAI_API_KEY"] = "sk-0123456789abcdef";
        environment["XAI_API_KEY"] = "xai-short";
        flags = {{"server.listen", "[::1]:8181"}};
        const std::string text =
            without_folder(print_config(good("[limits]\nbody_bytes = 1048576\nidle_timeout = 90\n"
                                             "[models.\"gpt-5.2\"]\ninput_price = 1.5\noutput_price = 3\n"),
                                        false));
        CHECK(text.starts_with("[server]\nlisten = \"[::1]:8181\" "));
        CHECK(has_line(text, "listen = \"[::1]:8181\" ", " # flag"));
        CHECK(has_line(text, "admin_listen = \"127.0.0.1:9090\" ", " # default"));
        CHECK(has_line(text, "body_bytes = \"1MiB\" ", " # gateway.toml:2"));
        CHECK(has_line(text, "idle_timeout = \"90s\" ", " # gateway.toml:3"));
        CHECK(has_line(text, "\"/api/chat\" = 10 ", " # default"));
        CHECK(has_line(text, "[providers.x-ai]", ""));
        CHECK(has_line(text, "[models.\"gpt-5.2\"]", ""));
        CHECK(has_line(text, "input_price = 1.5 ", " # gateway.toml:5"));
        CHECK(text.find("context_window") == std::string::npos);  // not set
        CHECK(has_line(text, "api_key = \"***cdef\" ", " # environment OPENAI_API_KEY"));
        CHECK(has_line(text, "api_key = \"***\" ", " # environment XAI_API_KEY"));
        CHECK(has_line(text, "api_key = \"\" ", " # default"));
        CHECK(text.find("0123456789ab") == std::string::npos);
        CHECK(text.find("xai-short") == std::string::npos);
    }

    TEST_CASE_FIXTURE(config_fixture, "what is printed is a file that means the same") {
        const loaded_config first = good(
            "[server]\n"
            "listen = \":0\"\n"
            "[storage]\n"
            "flush_interval = \"1500ms\"\n"
            "path = \"a \\\"quoted\\\" \\\\ name \\u007f \\t \u00fc\"\n"
            "[limits]\n"
            "header_bytes = 1500\n"
            "target_bytes = 1000\n"
            "drain_timeout = 0\n"
            "[providers.mine]\n"
            "base_url = \"https://mine.example/v1\"\n"
            "[models.\"a/b.c\"]\n"
            "provider = \"mine\"\n"
            "output_price = 1e-3\n"
            "input_price = 12\n");
        CHECK(first.values->storage.path == "a \"quoted\" \\ name \x7f \t \u00fc");
        const std::string printed = print_config(first, false);
        const loaded_config second = good(printed);
        CHECK(without_comments(print_config(second, false)) == without_comments(printed));
        CHECK(second.values->storage.path == first.values->storage.path);
        CHECK(second.values->models.at("a/b.c").output_price == first.values->models.at("a/b.c").output_price);
    }

    TEST_CASE_FIXTURE(config_fixture, "as JSON, each key has its value and its origin") {
        environment["OPENAI_API_KEY"] = "sk-0123456789abcdef";
        const std::string text =
            without_folder(print_config(good("[limits]\nheader_bytes = 1500\ntarget_bytes = 300\n"), true));
        const boost::json::value json = boost::json::parse(text);
        const auto at = [&](std::string_view pointer) { return json.at_pointer(pointer); };
        CHECK(at("/server/listen/value") == "127.0.0.1:8080");
        CHECK(at("/server/listen/origin") == "default");
        CHECK(at("/limits/header_bytes/value") == 1500);
        CHECK(at("/limits/header_bytes/origin") == "gateway.toml:2");
        CHECK(at("/limits/paths/~1api~1chat/value") == 10);
        CHECK(at("/log/access/value") == true);
        CHECK(at("/providers/openai/api_key/value") == "***cdef");
        CHECK(json.as_object().contains("redis"));
        CHECK_FALSE(json.as_object().contains("models"));  // none are set
        CHECK(json.at("providers").as_object().size() == 6);
    }

    TEST_CASE("a short secret shows nothing, a long one its last four characters") {
        CHECK(masked("") == "");
        CHECK(masked("a") == "***");
        CHECK(masked("12345678901") == "***");
        CHECK(masked("123456789012") == "***9012");
    }
}
