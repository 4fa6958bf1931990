#include "tests/unit/base/config_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace concurred::base;

namespace {

constexpr std::string_view master_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";  // the bytes 0 ... 31

}  // namespace

TEST_SUITE("base/config_secrets") {
    TEST_CASE_FIXTURE(config_fixture, "references in strings are replaced by variables and files") {
        environment["PORT"] = "1234";
        environment["COUNT"] = "7";
        environment["EMPTY"] = "";
        environment["NESTED"] = "${env:PORT}";
        folder.write("key.txt", "sk-from-file\n");
        folder.write("two-lines.txt", "a\n\n");
        const loaded_config loaded = good(R"(
server.listen = "127.0.0.1:${env:PORT}"
server.shards = "${env:COUNT}"
log.access = "${env:NOT_SET:-false}"
storage.path = "${env:NOT_SET:-data}/${env:PORT}/$${x}"
storage.spool = "${env:NESTED}"
storage.flush_interval = "${env:EMPTY:-2s}"
providers.openai.api_key = "${file:key.txt}"
)");
        CHECK(loaded.values->server.listen.port == 1234);
        CHECK(loaded.values->server.shards == 7);
        CHECK_FALSE(loaded.values->log.access);
        CHECK(loaded.values->storage.path == "data/1234/${x}");
        CHECK(loaded.values->storage.spool == "${env:PORT}");
        CHECK(loaded.values->storage.flush_interval == std::chrono::seconds(2));
        CHECK(loaded.values->providers.at("openai").api_key == "sk-from-file");
        CHECK(without_folder(loaded.origins.at("providers.openai.api_key")) == "gateway.toml:8");
    }

    TEST_CASE_FIXTURE(config_fixture, "a reference that leads nowhere is named") {
        struct row {
            std::string_view value;
            std::string_view fault;
        };
        const row rows[] = {
            {"${env:NOPE}", "environment variable 'NOPE' is not set; give a default with ${env:NOPE:-default}"},
            {"${file:nope.txt}", "file 'nope.txt' cannot be read: No such file or directory"},
            {"${vault:x}",
             "has an unknown reference, allowed: ${env:NAME}, ${env:NAME:-default}, ${file:PATH}; a literal '${' is "
             "written "
             "'$${'"},
            {"${env:}",
             "has an unknown reference, allowed: ${env:NAME}, ${env:NAME:-default}, ${file:PATH}; a literal '${' is "
             "written "
             "'$${'"},
            {"a${env:X",
             "has a reference without its closing '}', allowed: ${env:NAME}, ${env:NAME:-default}, ${file:PATH}; a "
             "literal "
             "'${' is written '$${'"},
        };
        for (const row& r : rows) {
            CAPTURE(r.value);
            CHECK(faults("[storage]\npath = \"" + std::string(r.value) + "\"\n") ==
                  "gateway.toml:2:8: storage.path: " + std::string(r.fault) + "\n");
        }
    }

    TEST_CASE_FIXTURE(config_fixture, "the SDKs' variables switch the providers on") {
        environment = {{"OPENAI_API_KEY", "k-openai"},
                       {"ANTHROPIC_API_KEY", "k-anthropic"},
                       {"GEMINI_API_KEY", "k-gemini"},
                       {"XAI_API_KEY", "k-xai"},
                       {"MINIMAX_API_KEY", "k-minimax"}};
        environment["OPENROUTER_API_KEY_FILE"] = folder.write("or.txt", "k-openrouter\r\n");
        const loaded_config loaded = good("");
        const auto key = [&](const char* name) { return loaded.values->providers.at(name).api_key; };
        CHECK(key("openai") == "k-openai");
        CHECK(key("anthropic") == "k-anthropic");
        CHECK(key("google") == "k-gemini");
        CHECK(key("x-ai") == "k-xai");
        CHECK(key("openrouter") == "k-openrouter");
        CHECK(key("minimax") == "k-minimax");
        CHECK(loaded.origins.at("providers.google.api_key") == "environment GEMINI_API_KEY");
        CHECK(loaded.origins.at("providers.openrouter.api_key") == "environment OPENROUTER_API_KEY_FILE");
        CHECK(loaded.warnings.empty());
    }

    TEST_CASE_FIXTURE(config_fixture,
                      "the file and the gateway's own variables are stronger than the SDKs' variables") {
        environment = {{"OPENAI_API_KEY", "weak"},
                       {"XAI_API_KEY", "weak"},
                       {"CONCURRED__PROVIDERS__X_AI__API_KEY", "strong"},
                       {"ANTHROPIC_API_KEY", "weak"},
                       {"CONCURRED__PROVIDERS__ANTHROPIC__API_KEY", ""}};
        const loaded_config loaded = good("[providers.openai]\napi_key = \"strong\"\n");
        CHECK(loaded.values->providers.at("openai").api_key == "strong");
        CHECK(loaded.values->providers.at("x-ai").api_key == "strong");
        CHECK(loaded.values->providers.at("anthropic").api_key.empty());  // switched off on purpose
    }

    TEST_CASE_FIXTURE(config_fixture,
                      "with both of Google's variables the one its SDK prefers is used, with a warning") {
        environment = {{"GOOGLE_API_KEY", "first"}, {"GEMINI_API_KEY", "second"}};
        const loaded_config loaded = good("");
        CHECK(loaded.values->providers.at("google").api_key == "first");
        CHECK(loaded.warnings.size() == 1);
        environment["GEMINI_API_KEY"] = "first";
        CHECK(good("").warnings.empty());
    }

    TEST_CASE_FIXTURE(config_fixture, "a secret given directly and by file is an error") {
        const std::string file = folder.write("s.txt", "secret-in-file");
        environment = {{"OPENAI_API_KEY", "secret-in-env"},
                       {"OPENAI_API_KEY_FILE", file},
                       {"CONCURRED__SECRETS__MASTER_KEY", std::string(master_key)},
                       {"CONCURRED__SECRETS__MASTER_KEY_FILE", file}};
        CHECK(faults("") ==
              "environment CONCURRED__SECRETS__MASTER_KEY: secrets.master_key: CONCURRED__SECRETS__MASTER_KEY and "
              "CONCURRED__SECRETS__MASTER_KEY_FILE are both set, allowed: one of them\n"
              "environment OPENAI_API_KEY: providers.openai.api_key: OPENAI_API_KEY and OPENAI_API_KEY_FILE are both "
              "set, "
              "allowed: one of them\n");
    }

    TEST_CASE_FIXTURE(config_fixture, "secrets are read from the files their variables name") {
        environment["CONCURRED__SECRETS__MASTER_KEY_FILE"] = folder.write("m.txt", std::string(master_key) + "\n");
        environment["CONCURRED__PROVIDERS__OPENAI__API_KEY_FILE"] = folder.write("o.txt", "sk-1");
        const loaded_config loaded = good("");
        CHECK(loaded.values->secrets.master_key == master_key);
        CHECK(loaded.values->providers.at("openai").api_key == "sk-1");
        CHECK(loaded.origins.at("secrets.master_key") == "environment CONCURRED__SECRETS__MASTER_KEY_FILE");
    }

    TEST_CASE_FIXTURE(config_fixture, "only secrets have a variable that names a file") {
        environment["CONCURRED__SERVER__LISTEN_FILE"] = "/etc/hostname";
        CHECK(faults("") ==
              "environment CONCURRED__SERVER__LISTEN_FILE: names no key, did you mean 'CONCURRED__SERVER__LISTEN'?\n");
    }

    TEST_CASE_FIXTURE(config_fixture, "no problem shows a secret, not even one in the wrong place") {
        const std::string secret = "sk-verysecretvalue";
        environment = {{"CONCURRED__SECRETS__MASTER_KEY", secret},
                       {"OPENAI_API_KEY", secret + " with spaces"},
                       {"XAI_API_KEY_FILE", secret},
                       {"S", secret},
                       {"CONCURRED__SERVER__LISTEN", secret}};
        flags = {
            {"log.level", secret}, {"limits.body_bytes", secret}, {"providers.google.base_url", "https://u:" + secret}};
        const std::string text =
            faults("[server]\ntls_key = \"" + secret + "\"\nshards = \"${env:S}\"\n[secrets]\nmaster_key = \"" +
                   secret + "\"\napi = \"" + secret +
                   "\"\n[providers.minimax]\napi_key = 5\nbase_url = \"https://user:" + secret + "@host\"\n");
        CHECK(text.find("secrets.master_key: must be base64 of 32 bytes") != std::string::npos);
        CHECK(text.find("XAI_API_KEY_FILE: providers.x-ai.api_key: names a file that cannot be read") !=
              std::string::npos);
        CHECK(text.find("OPENAI_API_KEY: providers.openai.api_key: holds a space") != std::string::npos);
        CHECK(text.find("verysecret") == std::string::npos);
    }

    TEST_CASE_FIXTURE(config_fixture, "a syntax error on a line with a secret does not show the line") {
        for (const std::string_view value :
             {"tsecret", "'sk-secret", "12secret", "999999999999999999999999", "inf-secret"}) {
            const std::string text = faults("[providers.openai]\napi_key = " + std::string(value) + "\n");
            CAPTURE(text);
            CHECK(text.starts_with("gateway.toml:2:"));
            CHECK(text.ends_with("is not TOML: strings are written in quotes\n"));
        }
    }

    TEST_CASE_FIXTURE(config_fixture, "a base URL is http(s)://host[:port][/path] and nothing else") {
        struct row {
            std::string_view url;
            std::string_view fault;
        };
        const row rows[] = {
            {"https://api.example", ""},
            {"http://localhost:8080/v1/", ""},
            {"http://[::1]:8080", ""},
            {"https://a.b/c/d%20e", ""},
            {"", "is empty"},
            {"api.openai.com/v1", "does not begin with http:// or https://"},
            {"ftp://a.b", "does not begin with http:// or https://"},
            {"https://", "has no valid host"},
            {"https:///v1", "has no valid host"},
            {"https://a_b!c", "has no valid host"},
            {"http://::1:80", "has no valid host"},
            {"http://[::1", "has no valid host"},
            {"http://999.1.1.1", "has no valid host"},
            {"https://a.b:", "has a port that is not 1 to 65535"},
            {"https://a.b:0", "has a port that is not 1 to 65535"},
            {"https://a.b:65536", "has a port that is not 1 to 65535"},
            {"https://a.b/c?d=e", "has a query or a fragment"},
            {"https://a.b/#c", "has a query or a fragment"},
            {"https://user:word@a.b", "has a user or a password"},
            {"https://a.b/c d", "has a space or another character that a URL cannot hold"},
        };
        for (const row& r : rows) {
            CAPTURE(r.url);
            const std::string text = faults("[providers.openai]\nbase_url = \"" + std::string(r.url) + "\"\n");
            if (r.fault.empty()) {
                CHECK(text == "");
            } else {
                CHECK(text == "gateway.toml:2:12: providers.openai.base_url: " + std::string(r.fault) +
                                  ", allowed: http(s)://host[:port][/path]\n");
            }
        }
    }
}
