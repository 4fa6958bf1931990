#include "storage/usage_quarantine.hpp"

#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include <fstream>
#include <string>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;

TEST_SUITE("storage/usage_quarantine") {
    TEST_CASE("a record is a line of JSON with its reason, whatever its texts hold") {
        const temp_folder folder;
        base::usage_record record = usage();
        record.model_requested = std::string_view("a\0\"\xff\n", 5);
        const base::error reason = base::gateway_error(base::errc::conflict, "refused: \"x\"");
        REQUIRE(quarantine_record(folder.file("new"), record, reason).has_value());
        REQUIRE(quarantine_record(folder.file("new"), usage(), reason).has_value());
        std::ifstream file(folder.file("new/quarantine/records.jsonl"));
        std::string line;
        REQUIRE(std::getline(file, line));
        const auto parsed = boost::json::parse(line).as_object();
        CHECK(parsed.at("reason").as_string() == "refused: \"x\"");
        CHECK(parsed.at("model_requested").as_string() == std::string("a\0\"\xEF\xBF\xBD\n", 7));
        CHECK(parsed.at("cost_nano_usd").as_int64() == 2'000);
        CHECK(parsed.at("ended").as_string() == "completed");
        REQUIRE(std::getline(file, line));
        CHECK(!std::getline(file, line));
    }
}
