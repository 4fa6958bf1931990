#include "gateway/net/url.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace concurred;
using net::parse_url;

TEST_SUITE("net/url") {
    TEST_CASE("a base URL is taken apart") {
        struct row {
            std::string_view text;
            bool tls;
            std::string_view host;
            unsigned port;
            std::string_view path;
            std::string_view host_header;
        };
        const std::vector<row> rows{
            {"https://api.openai.com/v1", true, "api.openai.com", 443, "/v1", "api.openai.com"},
            {"https://api.openai.com", true, "api.openai.com", 443, "", "api.openai.com"},
            {"http://localhost:11434/", false, "localhost", 11434, "", "localhost:11434"},
            {"http://127.0.0.1:9999/v1//", false, "127.0.0.1", 9999, "/v1", "127.0.0.1:9999"},
            {"HTTPS://API.X.AI/v1", true, "api.x.ai", 443, "/v1", "api.x.ai"},
            {"https://host:443/a/b", true, "host", 443, "/a/b", "host"},
            {"http://host:443", false, "host", 443, "", "host:443"},
            {"https://host:80", true, "host", 80, "", "host:80"},
            {"http://host:80", false, "host", 80, "", "host"},
            {"https://[::1]:8443/x", true, "::1", 8443, "/x", "[::1]:8443"},
            {"https://[2001:db8::7]", true, "2001:db8::7", 443, "", "[2001:db8::7]"},
            {"https://generativelanguage.googleapis.com/v1beta/openai/", true, "generativelanguage.googleapis.com", 443,
             "/v1beta/openai", "generativelanguage.googleapis.com"},
            {"https://host/a%20b", true, "host", 443, "/a%20b", "host"},
            {"https://my_service.internal.", true, "my_service.internal.", 443, "", "my_service.internal."},
        };
        for (const row& r : rows) {
            INFO(r.text);
            const auto url = parse_url(r.text);
            REQUIRE(url.has_value());
            CHECK(url->tls == r.tls);
            CHECK(url->host == r.host);
            CHECK(url->port == r.port);
            CHECK(url->path == r.path);
            CHECK(url->host_header() == r.host_header);
        }
    }

    TEST_CASE("what could mean something else is refused, without repeating it") {
        const std::vector<std::string> rows{
            "",
            "api.openai.com/v1",
            "ftp://host",
            "//host",
            "https:/host",
            "https://",
            "https:///v1",
            "https://:443",
            "https://user:hunter2@host/v1",
            "https://user@host",
            "https://host?key=hunter2",
            "https://host/v1#hunter2",
            "https://host:0",
            "https://host:65536",
            "https://host:",
            "https://host:80x",
            "https://host:+80",
            "https://host:-1",
            "https://ho st",
            "https://host\r\nX: y",
            "https://host/a b",
            "https://host/a\r\nX: y",
            std::string("https://ho\0st", 13),
            "https://host/\x7f",
            "https://h\xc3\xb6st",
            "https://.host",
            "https://a..b",
            "https://[::1",
            "https://[]",
            "https://[::1]x",
            "https://[fe80::1%eth0]",
            "https://[127.0.0.1]",
            "https://::1",
            "https://" + std::string(254, 'a'),
        };
        for (const std::string& text : rows) {
            INFO(text);
            const auto url = parse_url(text);
            REQUIRE_FALSE(url.has_value());
            CHECK_FALSE(url.error().message.empty());
            CHECK(url.error().message.find("hunter2") == std::string::npos);
        }
    }
}
