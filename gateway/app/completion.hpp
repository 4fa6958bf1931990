#pragma once

#include <string>

namespace CLI {
class App;
}

namespace concurred::app {

/// A script that makes bash complete commands and options of `app`, made from what `app` declares.
[[nodiscard]] std::string bash_completion(const CLI::App& app);

}  // namespace concurred::app
