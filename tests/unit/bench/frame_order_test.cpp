#include "bench/frame_order.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using concurred::bench::find_stamp;
using concurred::bench::frame_order;

namespace {

frame_order seen(std::initializer_list<std::uint32_t> numbers, std::uint32_t expected) {
    frame_order order;
    order.begin();
    for (const auto number : numbers) {
        order.saw(number);
    }
    order.end(expected);
    return order;
}

}  // namespace

TEST_SUITE("bench/frame_order") {
    TEST_CASE("frames in order are neither lost nor anything else") {
        const auto order = seen({0, 1, 2, 3}, 4);
        CHECK(order.lost() == 0);
        CHECK(order.duplicated() == 0);
        CHECK(order.reordered() == 0);
    }

    TEST_CASE("what did not come is lost: in between and at the end") {
        CHECK(seen({0, 2, 5}, 6).lost() == 3);
        CHECK(seen({0, 1}, 10).lost() == 8);
        CHECK(seen({}, 3).lost() == 3);
    }

    TEST_CASE("what comes again is a duplicate, and no frame of its own") {
        const auto order = seen({0, 1, 1, 0, 2}, 3);
        CHECK(order.duplicated() == 2);
        CHECK(order.lost() == 0);
    }

    TEST_CASE("what comes late is out of order and not lost; the second time it is a duplicate") {
        const auto order = seen({0, 3, 1, 2, 2}, 4);
        CHECK(order.reordered() == 2);
        CHECK(order.duplicated() == 1);
        CHECK(order.lost() == 0);
    }

    TEST_CASE("a new stream begins afresh") {
        auto order = seen({0, 2, 2}, 9);
        order.begin();
        CHECK(order.lost() == 0);
        CHECK(order.duplicated() == 0);
    }

    TEST_CASE("a stamp is found in any dialect, and nowhere else") {
        const auto chat = find_stamp("data: {\"choices\":[{\"delta\":{\"content\":\"@123456789:7 \"}}]}\n\n");
        REQUIRE(chat);
        CHECK(chat->sent_us == 123'456'789);
        CHECK(chat->number == 7);
        CHECK(find_stamp("data: {\"delta\":{\"type\":\"text_delta\",\"text\":\"@1:0 \"}}")->number == 0);
        CHECK(find_stamp("mail a@b.c, @12 and @13:1 ")->sent_us == 13);
        CHECK_FALSE(find_stamp("a@b.c @12 @13: @14:1"));
    }
}
