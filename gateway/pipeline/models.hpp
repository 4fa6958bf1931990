#pragma once

#include "gateway/http/handler.hpp"
#include "upstream/models_list.hpp"

namespace concurred::pipeline {

/// GET /api/v1/models: a text that is rendered once.
class list_models final : public http::handler {
public:
    explicit list_models(const upstream::models_list& models) : models_(models) {}
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    const upstream::models_list& models_;
};

/// GET /api/v1/models/:id.
class show_model final : public http::handler {
public:
    explicit show_model(const upstream::models_list& models) : models_(models) {}
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    const upstream::models_list& models_;
};

}  // namespace concurred::pipeline
