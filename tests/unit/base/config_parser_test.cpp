#include "gateway/base/config_parser.hpp"

#include "tests/unit/base/config_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace concurred::base;
using namespace std::chrono_literals;

TEST_SUITE("base/config_parser") {
    TEST_CASE("without any source the defaults hold and the six built-in providers are there, switched off") {
        const auto outcome = load_config({});
        REQUIRE(std::holds_alternative<loaded_config>(outcome));
        const loaded_config& loaded = std::get<loaded_config>(outcome);
        CHECK(to_text({"", "", ""}) == ": ");
        CHECK(loaded.values->server.listen.host == "127.0.0.1");
        CHECK(loaded.values->server.listen.port == 8080);
        CHECK(loaded.values->server.admin_listen.port == 9090);
        CHECK(loaded.values->limits.default_rate_limit == 60);
        CHECK(loaded.values->limits.paths.at("/api/v1/chat/completions") == 60);
        CHECK(loaded.values->limits.paths.at("/api/chat") == 10);
        CHECK(loaded.warnings.empty());
        CHECK(loaded.origins.at("server.listen") == "default");

        const std::pair<const char*, const char*> providers[] = {
            {"openai", "https://api.openai.com/v1"},
            {"anthropic", "https://api.anthropic.com"},
            {"google", "https://generativelanguage.googleapis.com/v1beta"},
            {"x-ai", "https://api.x.ai/v1"},
            {"openrouter", "https://openrouter.ai/api/v1"},
            {"minimax", "https://api.minimax.io/v1"},
        };
        CHECK(loaded.values->providers.size() == std::size(providers));
        for (const auto& [name, url] : providers) {
            CAPTURE(name);
            REQUIRE(loaded.values->providers.contains(name));
            CHECK(loaded.values->providers.at(name).base_url == url);
            CHECK(loaded.values->providers.at(name).api_key.empty());
        }
    }

    TEST_CASE_FIXTURE(config_fixture, "an empty file leaves the defaults") {
        for (const std::string_view text : {"", "\n", "# nothing\n", "\xEF\xBB\xBF# with a byte order mark\n"}) {
            CHECK(good(text).values->server.listen.port == 8080);
        }
    }

    TEST_CASE_FIXTURE(config_fixture, "values of every kind are read from the file") {
        const loaded_config loaded = good(R"(
[server]
listen = "[::1]:0"
admin_listen = ":9191"
shards = 2

[storage]
path = "data/db"
flush_interval = "250ms"
flush_batch = 10

[limits]
header_bytes = "64KiB"
body_bytes = 1048576
drain_timeout = "10m"
idle_timeout = 30
[limits.paths]
"/api/chat" = 20
"/api/v1/search" = 5

[log]
level = "debug"
access = false

[providers.openai]
base_url = "http://127.0.0.1:9999/v1//"
total_timeout = "1h"

[providers.my-vllm]
base_url = "https://vllm.example:8443"

[models.fast]
target = "gpt-5-mini"

[models."local/llama"]
provider = "my-vllm"
context_window = 8192
input_price = 0.5
output_price = 2
)");
        const config& c = *loaded.values;
        CHECK(c.server.listen.host == "::1");
        CHECK(c.server.listen.port == 0);
        CHECK(c.server.admin_listen.host.empty());
        CHECK(c.server.admin_listen.port == 9191);
        CHECK(c.server.shards == 2);
        CHECK(c.storage.path == "data/db");
        CHECK(c.storage.flush_interval == 250ms);
        CHECK(c.storage.flush_batch == 10);
        CHECK(c.limits.header_bytes == 65'536);
        CHECK(c.limits.body_bytes == 1'048'576);
        CHECK(c.limits.drain_timeout == 10min);
        CHECK(c.limits.idle_timeout == 30s);
        CHECK(c.limits.paths.at("/api/chat") == 20);
        CHECK(c.limits.paths.at("/api/v1/search") == 5);
        CHECK(c.limits.paths.at("/api/v1/fight") == 10);
        CHECK(c.log.level == "debug");
        CHECK_FALSE(c.log.access);
        CHECK(c.providers.size() == 7);
        CHECK(c.providers.at("openai").base_url == "http://127.0.0.1:9999/v1");
        CHECK(c.providers.at("openai").total_timeout == 1h);
        CHECK(c.providers.at("my-vllm").base_url == "https://vllm.example:8443");
        CHECK(c.models.at("fast").target == "gpt-5-mini");
        CHECK(c.models.at("local/llama").provider == "my-vllm");
        CHECK(c.models.at("local/llama").context_window == 8192);
        CHECK(c.models.at("local/llama").input_price == doctest::Approx(0.5));
        CHECK(c.models.at("local/llama").output_price == doctest::Approx(2));
        CHECK_FALSE(c.models.at("local/llama").cached_input_price.has_value());
    }

    TEST_CASE_FIXTURE(config_fixture,
                      "a flag is stronger than the environment, that than the file, that than the default") {
        const std::string_view file = "[server]\nlisten = \"127.0.0.1:1001\"\nshards = 1\n\n[log]\nlevel = \"warn\"\n";
        environment["CONCURRED__SERVER__LISTEN"] = "127.0.0.1:1002";
        environment["CONCURRED__SERVER__SHARDS"] = "2";
        environment["HOME"] = "/root";
        flags = {{"server.listen", "127.0.0.1:1003"}};
        const loaded_config loaded = good(file);
        CHECK(loaded.values->server.listen.port == 1003);
        CHECK(loaded.values->server.shards == 2);
        CHECK(loaded.values->log.level == "warn");
        CHECK(loaded.values->log.format == "auto");
        CHECK(loaded.origins.at("server.listen") == "flag");
        CHECK(loaded.origins.at("server.shards") == "environment CONCURRED__SERVER__SHARDS");
        CHECK(without_folder(loaded.origins.at("log.level")) == "gateway.toml:6");
        CHECK(loaded.origins.at("log.format") == "default");
    }

    TEST_CASE_FIXTURE(config_fixture,
                      "all problems are reported at once, with line and column, in the order of the file") {
        CHECK(faults("[server]\n"
                     "listn = \":80\"\n"
                     "shards = 5000\n"
                     "\n"
                     "[limits]\n"
                     "body_bytes = \"32 MB\"\n"
                     "[log]\n"
                     "access = \"yes\"\n") ==
              "gateway.toml:2:1: server.listn: unknown key, did you mean 'listen'?\n"
              "gateway.toml:3:10: server.shards: must be between 0 and 1024\n"
              "gateway.toml:6:14: limits.body_bytes: must be a size: a number of bytes, or text like \"64KiB\", "
              "\"32MiB\"\n"
              "gateway.toml:8:10: log.access: must be true or false, is a string\n");
    }

    TEST_CASE_FIXTURE(config_fixture, "problems of all sources come together") {
        environment["CONCURRED__LOG__LEVEL"] = "loud";
        flags = {{"server.listen", "nonsense"}, {"log.lvl", "info"}, {"log", "info"}};
        CHECK(faults("[server]\nshards = -1\n") ==
              "gateway.toml:2:10: server.shards: must be between 0 and 1024\n"
              "environment CONCURRED__LOG__LEVEL: log.level: must be one of debug, info, warn, error\n"
              "flag --listen: server.listen: must be an address like \"127.0.0.1:8080\", \"[::1]:8080\" or \":8080\"\n"
              "flag --log-lvl: log.lvl: unknown key, did you mean 'level'?\n"
              "flag --log: log: is a table, not a value\n");
    }

    TEST_CASE_FIXTURE(config_fixture, "each broken file has the message that helps") {
        struct row {
            std::string_view file;
            std::string_view fault;
        };
        const row rows[] = {
            // unknown names
            {"[sever]\nlisten = 1\n[sever.x]\ny = 1\n",
             "gateway.toml:1:2: sever: unknown key, did you mean 'server'?\n"},
            {"listen = \":80\"\n", "gateway.toml:1:1: listen: unknown key, did you mean 'server.listen'?\n"},
            {"[kubernetes]\n",
             "gateway.toml:1:2: kubernetes: unknown key, allowed here: server, storage, redis, postgres, secrets, "
             "limits, unkey, "
             "supabase, session, log, routing, providers, models\n"},
            {"[log]\ncolour = 1\n", "gateway.toml:2:1: log.colour: unknown key, allowed here: level, format, access\n"},
            {"[providers.openai]\nbaseurl = \"\"\n",
             "gateway.toml:2:1: providers.openai.baseurl: unknown key, did you mean 'base_url'?\n"},
            {"[models.fast]\ntraget = \"x\"\n",
             "gateway.toml:2:1: models.fast.traget: unknown key, did you mean 'target'?\n"},
            {"[models.gpt-5.2]\n",
             "gateway.toml:1:15: models.gpt-5.2: unknown key, allowed here: target, provider, upstream_model, "
             "context_window, max_output_tokens, input_price, cached_input_price, output_price; a name with a dot is "
             "written "
             "in quotes: models.\"gpt-5.2\"\n"},
            {"[limits.path]\n", "gateway.toml:1:9: limits.path: unknown key, did you mean 'paths'?\n"},
            {"[providers.\"Open AI\"]\n",
             "gateway.toml:1:12: providers.\"Open AI\": not a name, allowed: 1 to 32 of a-z, 0-9, '-', '_', '.'\n"},
            {"[limits.paths]\nchat = 1\n",
             "gateway.toml:2:1: limits.paths.chat: not a path, allowed: a route like \"/api/v1/chat/completions\"\n"},
            // wrong types
            {"server = 1\n", "gateway.toml:1:10: server: must be a table, is a value\n"},
            {"[server.listen]\nport = 80\n",
             "gateway.toml:1:9: server.listen: must be an address like \"127.0.0.1:8080\", \"[::1]:8080\" or "
             "\":8080\", is a "
             "table\n"},
            {"[storage]\npath = 5\n", "gateway.toml:2:8: storage.path: must be a string, is an integer\n"},
            {"[storage]\npath = [\"a\"]\n", "gateway.toml:2:8: storage.path: must be a string, is an array\n"},
            {"[storage]\npath = 2020-01-01\n", "gateway.toml:2:8: storage.path: must be a string, is a date or time\n"},
            {"[storage]\npath = \"\"\n", "gateway.toml:2:8: storage.path: must not be empty\n"},
            {"[server]\nshards = 1.5\n", "gateway.toml:2:10: server.shards: must be an integer, is a float\n"},
            {"[server]\nshards = \"4\"\n", "gateway.toml:2:10: server.shards: must be an integer, is a string\n"},
            {"[server]\nlisten = 8080\n",
             "gateway.toml:2:10: server.listen: must be an address like \"127.0.0.1:8080\", \"[::1]:8080\" or "
             "\":8080\", is "
             "an integer\n"},
            {"[models.a]\ninput_price = \"1\"\n",
             "gateway.toml:2:15: models.a.input_price: must be a number, is a string\n"},
            // ranges
            {"[limits]\nidle_timeout = true\n",
             "gateway.toml:2:16: limits.idle_timeout: must be a duration: text like \"250ms\", \"600s\", \"10m\", "
             "\"1h\", or a "
             "number of seconds, is a boolean\n"},
            {"[limits]\nheader_timeout = \"5ms\"\n",
             "gateway.toml:2:18: limits.header_timeout: must be between 10ms and 10m\n"},
            {"[limits]\nheader_timeout = 9223372036854775807\n",
             "gateway.toml:2:18: limits.header_timeout: must be between 10ms and 10m\n"},
            {"[limits]\nheader_bytes = \"2MiB\"\n",
             "gateway.toml:2:16: limits.header_bytes: must be between 1KiB and 1MiB\n"},
            {"[limits.paths]\n\"/api/chat\" = 0\n",
             "gateway.toml:2:15: limits.paths.\"/api/chat\": must be between 1 and 1000000\n"},
            {"[models.a]\ninput_price = nan\n",
             "gateway.toml:2:15: models.a.input_price: must be between 0 and 1000000\n"},
            {"[models.a]\ninput_price = -0.5\n",
             "gateway.toml:2:15: models.a.input_price: must be between 0 and 1000000\n"},
            {"[log]\nformat = \"xml\"\n", "gateway.toml:2:10: log.format: must be one of auto, json, text\n"},
            // keys that need each other
            {"[limits]\ndefault_rate_limit = 100\nmax_rate_limit = 10\n",
             "gateway.toml:2:22: limits.default_rate_limit: limits.default_rate_limit must not be above "
             "limits.max_rate_limit\n"},
            {"[server]\nlisten = \"127.0.0.1:9090\"\n",
             "gateway.toml:2:10: server.listen: server.listen and server.admin_listen are the same address, allowed: "
             "two "
             "different ones\n"},
            {"[unkey]\nmanage_key = \"unkey_0123456789\"\napi_id = \"api_1\"\n",
             "gateway.toml:2:14: unkey.manage_key: is set without unkey.verify_key, allowed: unkey.verify_key with or "
             "without it\n"},
            {"[unkey]\nverify_key = \"unkey_0123456789\"\nmanage_key = \"unkey_x\"\n",
             "gateway.toml:3:14: unkey.manage_key: is set without unkey.api_id, allowed: both or none\n"},
            {"[unkey]\nverify_key = \"unkey_0123456789\"\nmanage_key = \"unkey_x\"\napi_id = \"a/b\"\n",
             "gateway.toml:4:10: unkey.api_id: is not an id, allowed: letters, digits and '_', as in api_1234\n"},
            {"[providers.mine]\n",
             "gateway.toml:1:12: providers.mine.base_url: is missing: only the built-in providers have one, allowed: "
             "http(s)://host[:port][/path]\n"},
        };
        for (const row& r : rows) {
            CAPTURE(r.file);
            CHECK(faults(r.file) == r.fault);
        }
    }

    TEST_CASE_FIXTURE(config_fixture, "what is not TOML is reported with its place") {
        CHECK(faults("[server\n").starts_with("gateway.toml:1:8: is not TOML: "));
        CHECK(faults("[server]\nshards = 1\nshards = 2\n").starts_with("gateway.toml:3:"));
    }

    TEST_CASE_FIXTURE(config_fixture, "a certificate needs its key and the other way round; both must be readable") {
        folder.write("cert.pem", "x");
        const std::string cert = folder.path() + "/cert.pem";
        CHECK(faults("[server]\ntls_certificate = \"" + cert + "\"\n") ==
              "gateway.toml:2:19: server.tls_certificate: is set without server.tls_key, allowed: both or none\n");
        CHECK(faults("[server]\ntls_key = \"" + cert + "\"\n") ==
              "gateway.toml:2:11: server.tls_key: is set without server.tls_certificate, allowed: both or none\n");
        CHECK(faults("[server]\ntls_certificate = \"" + cert + "\"\ntls_key = \"/nonexistent/key.pem\"\n")
                  .starts_with("gateway.toml:3:11: server.tls_key: names a file that cannot be read: No such file"));
        CHECK(faults("[server]\ntls_certificate = \"" + cert + "\"\ntls_key = \"" + cert + "\"\n").empty());
    }

    TEST_CASE("a file that cannot be read is named with the reason") {
        const temporary_folder folder;
        for (const auto& [path, why] : {std::pair{folder.path() + "/none.toml", "No such file or directory"},
                                        {folder.path(), "Is a directory"}}) {
            const auto outcome = load_config({path, {}, {}});
            REQUIRE(std::holds_alternative<std::vector<config_problem>>(outcome));
            const auto& problems = std::get<std::vector<config_problem>>(outcome);
            REQUIRE(problems.size() == 1);
            CHECK(to_text(problems[0]) == path + ": cannot be read: " + why);
        }
    }

    TEST_CASE_FIXTURE(config_fixture, "listening beyond this machine without TLS is allowed with a warning") {
        struct row {
            std::string_view file;
            std::size_t warnings;
        };
        const row rows[] = {
            {"[server]\nlisten = \":8080\"\n", 1},
            {"[server]\nlisten = \"0.0.0.0:8080\"\n", 1},
            {"[server]\nlisten = \"0.0.0.0:8080\"\nadmin_listen = \"[::]:9090\"\n", 2},
            {"[server]\nlisten = \"localhost:8080\"\n", 0},
            {"[server]\nlisten = \"127.example:8080\"\n", 1},
            {"[server]\nlisten = \"127.1.2.3:8080\"\nadmin_listen = \"[::1]:1\"\n", 0},
            {"[providers.openai]\nbase_url = \"http://10.0.0.1/v1\"\napi_key = \"k\"\n", 1},
            {"[providers.openai]\nbase_url = \"http://10.0.0.1/v1\"\n", 0},
            {"[providers.openai]\nbase_url = \"http://[::1]:80/v1\"\napi_key = \"k\"\n", 0},
        };
        for (const row& r : rows) {
            CAPTURE(r.file);
            CHECK(good(r.file).warnings.size() == r.warnings);
        }
    }
}
