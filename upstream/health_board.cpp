#include "upstream/health_board.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace concurred::upstream {

void health_board::publish(unsigned shard, std::vector<health_row> view) {
    const std::lock_guard lock(mutex_);
    views_[shard].swap(view);
}

std::vector<health_row> health_board::merged() const {
    std::map<std::pair<std::string, std::string>, health_row> all;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& view : views_) {
            for (const health_row& row : view) {
                const auto [place, added] = all.try_emplace({row.provider, row.model}, row);
                if (added) {
                    continue;
                }
                health_row& known = place->second;
                known.openings += row.openings;
                known.resting = std::max(known.resting, row.resting);
                if (row.state == known.state) {
                    ++known.shards;
                    known.reopens_in = std::max(known.reopens_in, row.reopens_in);
                } else if (row.state > known.state) {
                    known.state = row.state;
                    known.reopens_in = row.reopens_in;
                    known.shards = 1;
                }
            }
        }
    }
    std::vector<health_row> rows;
    rows.reserve(all.size());
    for (auto& [name, row] : all) {
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace concurred::upstream
