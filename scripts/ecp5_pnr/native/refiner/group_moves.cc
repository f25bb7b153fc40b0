#include <cmath>

#include "refiner/moves.h"

namespace {

constexpr float NEAR = 1.2f;            // ns; the arcs that join members of a group are shorter
constexpr size_t FEW_SINKS = 12;        // nets with as many join members only where critical
constexpr int MEMBER_RANGE = 60;        // the limit of members is random, 2 to 61
constexpr int ATTEMPTS = 100;           // to find a region for a member
constexpr int ATTEMPTS_PER_RANGE = 10;  // after which the range grows by a tile

}  // namespace

std::vector<int> Mover::collect_group(int first) {
    std::vector<int> group{first};
    group_mark[first] = ++mark;
    size_t limit = 2 + random.below(MEMBER_RANGE);
    auto add = [&](const Arc &arc, int cell) {
        int cluster = placement.cells[cell].cluster;
        if (placement.arcs_of_net[arc.net].size() >= FEW_SINKS
                && placement.slack(arc) > NEARLY_CRITICAL)
            return;
        if (group_mark[cluster] == mark || group.size() >= limit || placement.delay(arc) > NEAR)
            return;
        Region region;
        if (!find_region(placement, placement.clusters[cluster], region) || region.form == SITE)
            return;
        group_mark[cluster] = mark;
        group.push_back(cluster);
    };
    for (size_t at = 0; at < group.size(); ++at)
        for (int cell : placement.clusters[group[at]].cells) {
            for (int arc : placement.inputs_of_cell[cell])
                add(placement.arcs[arc], placement.arcs[arc].driver);
            for (int net : placement.nets_of_cell[cell])
                for (int arc : placement.arcs_of_net[net])
                    add(placement.arcs[arc], placement.arcs[arc].sink);
        }
    return group;
}

// Sets dx, dy to a random part of the distance from the group to its neighbours.
bool Mover::find_shift(const std::vector<int> &group, int &dx, int &dy) {
    float x, y, group_x = 0, group_y = 0;
    if (group.size() < 2 || !find_centre(group, [&](int cluster) {
            return group_mark[cluster] == mark; }, x, y))
        return false;
    for (int cluster : group) {
        int first = placement.clusters[cluster].cells[0];
        const Tile &tile = placement.tiles[placement.cells[first].tile];
        group_x += tile.x / static_cast<float>(group.size());
        group_y += tile.y / static_cast<float>(group.size());
    }
    float part = random.uniform();
    dx = std::lround((x - group_x) * part), dy = std::lround((y - group_y) * part);
    return dx || dy;
}

// Moves the cluster by dx, dy, or to a tile nearby; adds the increase of the cost to `increase`.
bool Mover::shift_cluster(int cluster, int dx, int dy, float &increase) {
    Region from, to;
    if (!find_region(placement, placement.clusters[cluster], from) || from.form == SITE
            || from.tile_count > MAX_TILES)
        return false;
    int x = placement.tiles[from.tile].x + dx, y = placement.tiles[from.tile].y + dy;
    for (int attempt = 0; attempt < ATTEMPTS; ++attempt) {
        to.tile = random_logic_tile(x, y, attempt / ATTEMPTS_PER_RANGE);
        float step;
        if (!fit_region(placement, from, to, random)
                || !(from.form == WHOLE_TILES || is_empty(placement, to))
                || !swap_if_legal(from, to, step))
            continue;
        cost.accept();
        increase += step;
        swaps.push_back({from, to});
        return true;
    }
    return false;
}

// Moves the group around a cluster; false if nothing has moved.
bool Mover::shift_group(int first, float &increase) {
    std::vector<int> group = collect_group(first);
    int dx, dy;
    if (!find_shift(group, dx, dy)) return false;
    swaps.clear();
    increase = 0;
    for (int cluster : group) shift_cluster(cluster, dx, dy, increase);
    return !swaps.empty();
}

void Mover::undo_group() {
    for (size_t at = swaps.size(); at--;) {
        const Region &from = swaps[at].from, &to = swaps[at].to;
        cells.clear();
        collect_cells(placement, from, cells, scratch);
        collect_cells(placement, to, cells, scratch);
        swap_regions(placement, from, to);
        cost.before(cells), cost.after(), cost.accept();
    }
}

bool Mover::move_group(int first, float temperature) {
    float increase;
    if (!shift_group(first, increase)) return false;
    if (accepts(increase, temperature)) return true;
    undo_group();
    return false;
}

bool Mover::move_group_exact(int first, double &total) {
    float increase;
    if (!shift_group(first, increase)) return false;
    double after = evaluate_exact();
    if (after < total) {
        total = after;
        return true;
    }
    undo_group();
    evaluate_exact();
    return false;
}
