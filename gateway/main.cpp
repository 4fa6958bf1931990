#include "gateway/app/cli.hpp"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    try {
        return concurred::app::run(argc, argv);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "concurred: unexpected failure: %s\n", e.what());
    } catch (...) {
        std::fputs("concurred: unexpected failure\n", stderr);
    }
    return 1;
}
