// A placed design: cells on the bels of tiles, nets between them, and their delays.

#ifndef ECP5_PNR_PLACEMENT_H
#define ECP5_PNR_PLACEMENT_H

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/index_lists.h"
#include "common/timing.h"

// Bels of a logic tile: 8 LUTs, 8 FFs and the write port of distributed RAM. A multiplier or block
// RAM site counts as a tile of one bel here.
constexpr int LUTS = 8, BELS = 17, WRITE_PORT = BELS - 1;
constexpr int RAM_LUTS = 6;             // that distributed RAM takes of its tile, the first ones
constexpr int EMPTY = -1;
constexpr size_t LARGE_NET = 64;        // sinks; such a net costs no wire and attracts no cell
enum SiteType { LOGIC, MULTIPLIER, BLOCK_RAM, FIXED, SITE_TYPES };

// Control sets are numbers: FFs of a tile need the same clock and reset, FFs of a slice the same
// clock enable.
struct Cell {
    int tile, bel, cluster;
    int tile_control_set, slice_control_set;
    bool uses_m;                        // takes the M input, which a LUT shares with its FF
    int fabric_inputs;                  // routed through the fabric, clocks left out
};
struct Tile { int x, y, site_type, fabric_inputs, cells[BELS]; };
// From a net's driver to one of its sinks. `max_delay` is the delay that leaves a slack of 0.
struct Arc { int net, driver, sink; bool in_tile; float max_delay; };
// Cells that keep their positions relative to each other.
struct Cluster { std::vector<int> cells; bool fixed; };
struct Location { int16_t x, y; };

struct BoundingBox {
    int left, right, top, bottom;
    int half_perimeter() const { return right - left + bottom - top; }
    int area() const { return (right - left + 1) * (bottom - top + 1); }
};

struct Placement {
    std::vector<Cell> cells;
    std::vector<Tile> tiles;
    std::vector<Arc> arcs;
    std::vector<Cluster> clusters;
    std::vector<int> driver;            // of a net: cell
    std::vector<Location> location;     // of a cell
    IndexLists arcs_of_net, inputs_of_cell;     // arcs that leave their tile
    IndexLists nets_of_cell;            // that it drives
    std::vector<std::vector<int>> logic_tile_at;        // by x, y; EMPTY where there is none
    std::vector<int> sites[SITE_TYPES]; // tiles of a type other than LOGIC
    Timing timing;
    float period;                       // ns
    float tile_delay;                   // ns for each tile that an arc is longer

    float delay(const Arc &arc) const {
        if (arc.in_tile) return 0;
        Location from = location[arc.driver], to = location[arc.sink];
        return estimate_delay(from.x - to.x, from.y - to.y, tile_delay);
    }

    float slack(const Arc &arc) const { return arc.max_delay - delay(arc); }

    TimingSummary analyse_timing() {
        return timing.analyse(arcs, period, [this](const Arc &arc) { return delay(arc); });
    }

    BoundingBox bounding_box(int net) const {
        const Location from = location[driver[net]];
        BoundingBox box{from.x, from.x, from.y, from.y};
        for (int arc : arcs_of_net[net]) {
            const Location to = location[arcs[arc].sink];
            box.left = std::min<int>(box.left, to.x), box.right = std::max<int>(box.right, to.x);
            box.top = std::min<int>(box.top, to.y), box.bottom = std::max<int>(box.bottom, to.y);
        }
        return box;
    }

    // Sets the location of a cell; the caller updates the cells of both tiles.
    void move_cell(int cell, int tile, int bel) {
        Cell &moved = cells[cell];
        tiles[moved.tile].fabric_inputs -= moved.fabric_inputs;
        tiles[tile].fabric_inputs += moved.fabric_inputs;
        moved.tile = tile, moved.bel = bel;
        set_location(cell);
    }

    void set_location(int cell) {
        const Tile &tile = tiles[cells[cell].tile];
        location[cell] = {static_cast<int16_t>(tile.x), static_cast<int16_t>(tile.y)};
    }
};

#endif
