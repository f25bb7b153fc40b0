#include "refiner/problem_io.h"

#include <cstdio>
#include <cstdlib>

#include "common/exit_status.h"
#include "common/text_input.h"

namespace {

void read_tiles(TextInput &input, Placement &placement) {
    placement.tiles.resize(input.read_int());
    int max_x = 0, max_y = 0;
    for (size_t at = 0; at < placement.tiles.size(); ++at) {
        Tile &tile = placement.tiles[at];
        tile.x = input.read_int(), tile.y = input.read_int(), tile.site_type = input.read_int();
        tile.fabric_inputs = 0;
        std::fill(tile.cells, tile.cells + BELS, EMPTY);
        if (tile.site_type != LOGIC) placement.sites[tile.site_type].push_back(at);
        max_x = std::max(max_x, tile.x), max_y = std::max(max_y, tile.y);
    }
    placement.logic_tile_at.assign(max_x + 1, std::vector<int>(max_y + 1, EMPTY));
    for (size_t at = 0; at < placement.tiles.size(); ++at) {
        const Tile &tile = placement.tiles[at];
        if (tile.site_type == LOGIC) placement.logic_tile_at[tile.x][tile.y] = at;
    }
}

void read_cells(TextInput &input, Placement &placement) {
    placement.clusters.resize(input.read_int());
    for (Cluster &cluster : placement.clusters) cluster.fixed = input.read_int();
    placement.cells.resize(input.read_int());
    placement.location.resize(placement.cells.size());
    for (size_t at = 0; at < placement.cells.size(); ++at) {
        Cell &cell = placement.cells[at];
        cell.tile = input.read_int(), cell.bel = input.read_int();
        cell.cluster = input.read_int();
        cell.tile_control_set = input.read_int(), cell.slice_control_set = input.read_int();
        cell.uses_m = input.read_int(), cell.fabric_inputs = input.read_int();
        Tile &tile = placement.tiles[cell.tile];
        tile.cells[cell.bel] = at;
        tile.fabric_inputs += cell.fabric_inputs;
        placement.clusters[cell.cluster].cells.push_back(at);
        placement.set_location(at);
    }
}

void read_nets(TextInput &input, Placement &placement) {
    std::vector<int> &driver = placement.driver;
    std::vector<Arc> &arcs = placement.arcs;
    driver.resize(input.read_int());
    placement.timing.launch.resize(driver.size());
    for (size_t net = 0; net < driver.size(); ++net) {
        driver[net] = input.read_int();
        placement.timing.launch[net] = input.read_float();
    }
    arcs.resize(input.read_int());
    for (Arc &arc : arcs) {
        arc.net = input.read_int(), arc.sink = input.read_int(), arc.in_tile = input.read_int();
        arc.driver = driver[arc.net];
    }
    placement.timing.read_edges(input);
    placement.timing.sort_nets(arcs);
    placement.nets_of_cell = IndexLists(placement.cells.size(), driver.size(), [&](size_t net) {
        return driver[net]; });
    placement.inputs_of_cell = IndexLists(placement.cells.size(), arcs.size(), [&](size_t at) {
        return arcs[at].in_tile ? -1 : arcs[at].sink; });
    placement.arcs_of_net = IndexLists(driver.size(), arcs.size(), [&](size_t at) {
        return arcs[at].in_tile ? -1 : arcs[at].net; });
}

}  // namespace

Placement read_placement(const char *path) {
    TextInput input(path);
    Placement placement;
    placement.period = input.read_float();
    placement.tile_delay = input.read_float();
    read_tiles(input, placement);
    read_cells(input, placement);
    read_nets(input, placement);
    return placement;
}

void write_placement(const Placement &placement, const char *path) {
    std::FILE *file = std::fopen(path, "w");
    if (!file) std::exit(FILE_ERROR);
    for (const Cell &cell : placement.cells) std::fprintf(file, "%d %d\n", cell.tile, cell.bel);
    if (std::fclose(file)) std::exit(FILE_ERROR);
}
