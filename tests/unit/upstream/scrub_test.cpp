#include "upstream/scrub.hpp"

#include <doctest/doctest.h>

#include <string>

using concurred::upstream::scrub_secrets;

TEST_SUITE("upstream/scrub") {
    TEST_CASE("what looks like a credential or names an account is masked") {
        struct row {
            std::string_view text;
            std::string_view scrubbed;
        };
        const row rows[] = {
            {"Incorrect API key provided: sk-proj-Ab12***********wxyZ. You can find",
             "Incorrect API key provided: ***. You can find"},
            {"key sk-or-v1-0123456789abcdef, again 'sk-ant-api03-Qx9' end", "key ***, again '***' end"},
            {"Incorrect API key provided: xai-A1b2C3d4E5.", "Incorrect API key provided: ***."},
            {"https://host/v1?key=AIzaSyA1234567890abcdefghij&x=1", "https://host/v1?key=***&x=1"},
            {"Authorization: Bearer abcdefgh12345678+/=", "Authorization: Bearer ***"},
            {"\"bearer: 'tok_1234567890'\"", "\"bearer: '***'\""},
            {"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "***"},
            {"Rate limit reached for gpt-5.2 in organization org-Ab12Cd34Ef56 on tokens per min",
             "Rate limit reached for gpt-5.2 in organization *** on tokens per min"},
            {"Project `proj_a1B2c3D4` has no access", "Project `***` has no access"},
            {"ck_live_0123456789", "***"},
            {"sk-abcdefghijklmnopqrstuvwxyzabcdef", "***"},
        };
        for (const row& r : rows) {
            CHECK(scrub_secrets(r.text) == r.scrubbed);
        }
    }

    TEST_CASE("the key that was used is masked whatever it looks like, unless it is too short for one") {
        CHECK(scrub_secrets("got 'letmein', xletmein", "letmein") == "got '***', x***");
        CHECK(scrub_secrets("a plain text", "a") == "a plain text");
        CHECK(scrub_secrets("a plain text", "") == "a plain text");
    }

    TEST_CASE("plain words stay") {
        for (const char* text :
             {"", "task-force risk-averse", "an org-level limit, a user-specific one", "sk-learn sk-", "Bearer of news",
              "Model grok-4.3 does not support parameter presencePenalty.", "The model `gpt-6` does not exist",
              "caf\xC3\xA9 \xE4\xBD\xA0"}) {
            CHECK(scrub_secrets(text) == text);
        }
    }
}
