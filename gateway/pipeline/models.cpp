#include "gateway/pipeline/models.hpp"

#include "gateway/pipeline/path_text.hpp"
#include "gateway/pipeline/ready.hpp"
#include "gateway/pipeline/router.hpp"

#include <string>

namespace concurred::pipeline {

base::task<base::result<http::response>> list_models::handle(http::exchange&) {
    http::response r;
    r.shared = models_.list();
    return ready(std::move(r));
}

base::task<base::result<http::response>> show_model::handle(http::exchange& x) {
    // Clients escape the slash in names such as "deepseek/deepseek-v3.2".
    const auto found = models_.find(unescaped_path_text(path_parameter(*x.endpoint, x.head.path)));
    if (!found) {
        return ready(base::client_error(
            base::errc::not_found, "There is no model of this name here. GET /api/v1/models lists those there are."));
    }
    http::response r;
    r.shared = *found;
    return ready(std::move(r));
}

}  // namespace concurred::pipeline
