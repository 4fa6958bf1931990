#include "gateway/app/version_command.hpp"

#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/app/json_object.hpp"

#include <openssl/crypto.h>
#include <sqlite3.h>
#include <boost/version.hpp>

namespace concurred::app {

namespace {

std::string boost_version() {
    return std::to_string(BOOST_VERSION / 100'000) + "." + std::to_string(BOOST_VERSION / 100 % 1'000) + "." +
           std::to_string(BOOST_VERSION % 100);
}

}  // namespace

std::string version_line() {
    return "concurred " CONCURRED_VERSION;
}

int show_version(bool json) {
    // OpenSSL and SQLite: the libraries that run, which may be newer than those compiled against.
    const std::string compiler = "g++ " __VERSION__;
    const std::string openssl = OpenSSL_version(OPENSSL_VERSION_STRING);
    const std::string sqlite = sqlite3_libversion();
    if (json) {
        json_object out;
        out.add("version", CONCURRED_VERSION).add("compiler", compiler).add("boost", boost_version());
        out.add("openssl", openssl).add("sqlite", sqlite);
        say(out.text() + "\n");
        return exit_ok;
    }
    say(version_line() + "\ncompiler  " + compiler + "\nBoost     " + boost_version() + "\nOpenSSL   " + openssl +
        "\nSQLite    " + sqlite + "\n");
    return exit_ok;
}

}  // namespace concurred::app
