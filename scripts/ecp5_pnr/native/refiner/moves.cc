#include "refiner/moves.h"

#include <cmath>

namespace {

constexpr int ATTEMPTS = 10;            // to find a legal move
constexpr int CENTRED = 4;              // one move in 4 starts at the centre of the neighbours

}  // namespace

bool Mover::accepts(float increase, float temperature) {
    return increase <= 0 || random.uniform() < std::exp(-increase / temperature);
}

int Mover::random_logic_tile(int x, int y, int range) {
    const std::vector<std::vector<int>> &columns = placement.logic_tile_at;
    x += static_cast<int>(random.below(2 * range + 1)) - range;
    y += static_cast<int>(random.below(2 * range + 1)) - range;
    x = std::min(std::max(x, 0), static_cast<int>(columns.size()) - 1);
    y = std::min(std::max(y, 0), static_cast<int>(columns[0].size()) - 1);
    return columns[x][y];
}

// Swaps the contents of two regions; `increase` is the increase of the cost.
bool Mover::swap_if_legal(const Region &from, const Region &to, float &increase) {
    cells.clear();
    if (!collect_cells(placement, from, cells, scratch)
            || !collect_cells(placement, to, cells, scratch))
        return false;
    float before = cost.fabric_input_cost(from) + cost.fabric_input_cost(to);
    swap_regions(placement, from, to);
    if (!is_legal(placement, from) || !is_legal(placement, to)) {
        swap_regions(placement, from, to);
        return false;
    }
    before += cost.before(cells);
    increase = cost.after() + cost.fabric_input_cost(from) + cost.fabric_input_cost(to) - before;
    return true;
}

MoveResult Mover::move_cluster(int cluster, int range, float temperature) {
    Region from, to;
    if (!find_region(placement, placement.clusters[cluster], from) || from.tile_count > MAX_TILES)
        return ILLEGAL;
    const Tile &here = placement.tiles[from.tile];
    float x = here.x, y = here.y;
    if (from.form != SITE && !random.below(CENTRED))
        find_centre({cluster}, [&](int other) { return other == cluster; }, x, y);
    const std::vector<int> &sites = placement.sites[here.site_type];
    for (int attempt = 0; attempt < ATTEMPTS; ++attempt) {
        to.tile = from.form == SITE ? sites[random.below(sites.size())]
                                    : random_logic_tile(std::lround(x), std::lround(y), range);
        float increase;
        if (!fit_region(placement, from, to, random) || !swap_if_legal(from, to, increase))
            continue;
        if (accepts(increase, temperature)) {
            cost.accept();
            return ACCEPTED;
        }
        swap_regions(placement, from, to);
        return REJECTED;
    }
    return ILLEGAL;
}

double Mover::evaluate_exact() {
    placement.analyse_timing();
    cost.evaluate_all();
    return cost.total();
}
