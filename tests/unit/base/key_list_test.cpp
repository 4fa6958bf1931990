#include "gateway/base/key_list.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using base::parse_key_list;

TEST_SUITE("base/key_list") {
    TEST_CASE("keys with white space between, each with a weight or none") {
        const auto keys = parse_key_list("  sk-a*3 sk-b\n\tsk-c*1000 ");
        REQUIRE(keys.has_value());
        REQUIRE(keys->size() == 3);
        CHECK((*keys)[0].key == "sk-a");
        CHECK((*keys)[0].weight == 3);
        CHECK((*keys)[1].key == "sk-b");
        CHECK((*keys)[1].weight == 1);
        CHECK((*keys)[2].weight == 1000);
    }

    TEST_CASE("a star without a number belongs to the key") {
        const auto keys = parse_key_list("sk*a sk-b* sk*c*2");
        REQUIRE(keys.has_value());
        CHECK((*keys)[0].key == "sk*a");
        CHECK((*keys)[1].key == "sk-b*");
        CHECK((*keys)[2].key == "sk*c");
        CHECK((*keys)[2].weight == 2);
    }

    TEST_CASE("nothing is no keys") {
        CHECK(parse_key_list("")->empty());
        CHECK(parse_key_list(" \n ")->empty());
    }

    TEST_CASE("what cannot be a list of keys is none") {
        for (const char* text :
             {"sk-a*0", "sk-a*1001", "sk-a*99999999999999", "*3", "sk-a sk-a", "sk-\x01", "sk-\xc3\xa4"}) {
            INFO(text);
            CHECK(!parse_key_list(text).has_value());
        }
        std::string many;
        for (int i = 0; i < 65; ++i) {
            many += "k" + std::to_string(i) + " ";
        }
        CHECK(!parse_key_list(many).has_value());
    }
}
