#include "gateway/pipeline/landing.hpp"

#include "gateway/pipeline/ready.hpp"

namespace concurred::pipeline {

base::task<base::result<http::response>> landing::handle(http::exchange&) {
    http::response r;
    r.shared = R"({"name":"Concurred Gateway","api":"/api/v1","endpoints":["POST /api/v1/chat/completions",)"
               R"("POST /api/v1/messages",)"
               R"("POST /api/v1/embeddings","POST /api/v1/responses",)"
               R"("GET /api/v1/models","GET /api/v1/models/{id}","GET /api/v1/usage","GET /api/health"],)"
               R"("authentication":"Authorization: Bearer ck_..."})"
               "\n";
    return ready(std::move(r));
}

}  // namespace concurred::pipeline
