#include "refiner/region.h"

bool find_region(const Placement &placement, const Cluster &cluster, Region &region) {
    const std::vector<Cell> &cells = placement.cells;
    const std::vector<Tile> &tiles = placement.tiles;
    const Cell &first = cells[cluster.cells[0]];
    if (cluster.fixed) return false;
    if (tiles[first.tile].site_type != LOGIC) {
        region = {first.tile, 0, SITE, 1};
        return cluster.cells.size() == 1;
    }
    int low = first.tile, high = first.tile, from = LUTS, to = 0;
    bool is_ram = false;
    for (int cell : cluster.cells) {
        low = std::min(low, cells[cell].tile), high = std::max(high, cells[cell].tile);
        int bel = cells[cell].bel;
        is_ram |= bel == WRITE_PORT;
        from = std::min(from, bel % LUTS), to = std::max(to, bel % LUTS);
    }
    if (low != high || is_ram) region = {low, 0, WHOLE_TILES, high - low + 1};
    else if (cluster.cells.size() == 1 && from == to)
        region = {low, from, first.bel < LUTS ? LUT : FF, 1};
    else if (from == to) region = {low, from, LUT_AND_FF, 1};
    else if (from / 2 == to / 2) region = {low, from & ~1, SLICE, 1};
    else if (from / 4 == to / 4) region = {low, from & ~3, SLICE_PAIR, 1};
    else region = {low, 0, WHOLE_TILES, 1};
    return tiles[low].y == tiles[high].y && tiles[high].x - tiles[low].x == high - low;
}

bool fit_region(const Placement &placement, const Region &from, Region &to, Random &random) {
    const std::vector<Tile> &tiles = placement.tiles;
    int tile = to.tile;
    if (tile == EMPTY) return false;
    to = from;
    to.tile = tile;
    if (from.form == LUT || from.form == FF || from.form == LUT_AND_FF)
        to.first = random.below(LUTS);
    else if (from.form == SLICE) to.first = 2 * random.below(4);
    else if (from.form == WHOLE_TILES) {
        int last = tile + from.tile_count - 1;
        if (last >= static_cast<int>(tiles.size()) || tiles[last].site_type != LOGIC
                || tiles[last].y != tiles[tile].y
                || tiles[last].x - tiles[tile].x != from.tile_count - 1
                || std::abs(tile - from.tile) < from.tile_count)
            return false;
    }
    return to.tile != from.tile || to.first != from.first;
}

bool collect_cells(const Placement &placement, const Region &region, std::vector<int> &inside,
                   std::vector<int> &clusters) {
    size_t before = inside.size(), expected = 0;
    bool fixed = false;
    clusters.clear();
    for_each_bel(region, [&](int tile, int bel) {
        int cell = placement.tiles[tile].cells[bel];
        if (cell == EMPTY) return;
        inside.push_back(cell);
        int number = placement.cells[cell].cluster;
        for (int cluster : clusters) if (cluster == number) return;
        clusters.push_back(number);
        expected += placement.clusters[number].cells.size();
        fixed |= placement.clusters[number].fixed;
    });
    return !fixed && inside.size() - before == expected;
}

namespace {

bool is_legal_tile(const Placement &placement, const Tile &tile) {
    const std::vector<Cell> &cells = placement.cells;
    if (tile.site_type != LOGIC) return true;
    int write_port = tile.cells[WRITE_PORT];
    // cells of other clusters may use the last slice and all FFs of a tile with distributed RAM
    if (write_port != EMPTY)
        for (int bel = 0; bel < RAM_LUTS; ++bel) {
            int cell = tile.cells[bel];
            if (cell != EMPTY && cells[cell].cluster != cells[write_port].cluster) return false;
        }
    int control_set = EMPTY;
    for (int at = 0; at < LUTS; ++at) {
        if (tile.cells[LUTS + at] == EMPTY) continue;
        const Cell &ff = cells[tile.cells[LUTS + at]];
        if (control_set != EMPTY && control_set != ff.tile_control_set) return false;
        control_set = ff.tile_control_set;
        int other = tile.cells[LUTS + (at ^ 1)];
        if (other != EMPTY && cells[other].slice_control_set != ff.slice_control_set) return false;
        int lut = tile.cells[at];
        if (lut != EMPTY && ff.uses_m && cells[lut].uses_m) return false;
    }
    return true;
}

}  // namespace

bool is_legal(const Placement &placement, const Region &region) {
    for (int tile = 0; tile < region.tile_count; ++tile)
        if (!is_legal_tile(placement, placement.tiles[region.tile + tile])) return false;
    return true;
}

bool is_empty(const Placement &placement, const Region &region) {
    bool empty = true;
    for_each_bel(region, [&](int tile, int bel) {
        empty &= placement.tiles[tile].cells[bel] == EMPTY; });
    return empty;
}

void swap_regions(Placement &placement, const Region &one, const Region &other) {
    int bels[2][BELS * MAX_TILES][2], count[2] = {0, 0};
    const Region *both[] = {&one, &other};
    for (int side = 0; side < 2; ++side)
        for_each_bel(*both[side], [&](int tile, int bel) {
            bels[side][count[side]][0] = tile;
            bels[side][count[side]++][1] = bel;
        });
    for (int at = 0; at < count[0]; ++at) {
        int &a = placement.tiles[bels[0][at][0]].cells[bels[0][at][1]];
        int &b = placement.tiles[bels[1][at][0]].cells[bels[1][at][1]];
        std::swap(a, b);
        if (a != EMPTY) placement.move_cell(a, bels[0][at][0], bels[0][at][1]);
        if (b != EMPTY) placement.move_cell(b, bels[1][at][0], bels[1][at][1]);
    }
}
