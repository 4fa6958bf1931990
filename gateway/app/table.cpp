#include "gateway/app/table.hpp"

#include "gateway/app/console.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace concurred::app {

namespace {

constexpr std::size_t gap = 2;

/// Characters, not bytes. Wide East Asian ones count as one: their columns may be off, nothing is lost.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

void text_table::column(std::string title, align side) {
    columns_.push_back({std::move(title), side});
}

void text_table::row(std::vector<std::string> cells) {
    cells.resize(columns_.size());
    for (std::string& cell : cells) {
        cell = printable(cell);
    }
    rows_.push_back(std::move(cells));
}

std::string text_table::text() const {
    std::vector<std::size_t> widths(columns_.size(), 0);
    for (const auto& cells : rows_) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(cells[i]));
        }
    }
    std::string out;
    const auto append_line = [&](const auto& cell_of) {
        std::string line;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (widths[i] == 0) {
                continue;
            }
            const std::string& cell = cell_of(i);
            const std::size_t full = std::max(widths[i], width_of(columns_[i].title));
            const std::string space(full - width_of(cell), ' ');
            line.append(line.empty() ? 0 : gap, ' ');
            line.append(columns_[i].side == align::right ? space + cell : cell + space);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out.append(line).append("\n");
    };
    append_line([&](std::size_t i) -> const std::string& { return columns_[i].title; });
    for (const auto& cells : rows_) {
        append_line([&](std::size_t i) -> const std::string& { return cells[i]; });
    }
    return out;
}

}  // namespace concurred::app
