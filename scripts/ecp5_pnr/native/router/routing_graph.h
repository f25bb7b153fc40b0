// Routing graph of a device: its wires, and the pips that connect them.

#ifndef ECP5_PNR_ROUTING_GRAPH_H
#define ECP5_PNR_ROUTING_GRAPH_H

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "router/chip_database.h"

constexpr uint32_t NONE = UINT32_MAX;   // of an index of a wire or a pip

enum WireKind : uint8_t { SITE_PIN = 1, FEEDS_PINS_ONLY = 2, CLOCK_NETWORK = 4 };

// In the present search: `cost`, `from_pip` (NONE in the net's tree) and `search`, its number;
// `target_search` is the last search for whose sink the wire is at most two pips away. Of
// negotiation: `history_cost` in ns, and `occupancy`, how many nets use the wire.
struct alignas(32) Wire {
    float cost;
    uint32_t from_pip, search, target_search;
    float history_cost;
    int16_t x, y;
    uint16_t occupancy;
    uint8_t kind;                       // bits of WireKind
};

// `number` counts the pips in the order of the database. `lut_permutation` is 0 if the pip permutes
// no LUT input, else PERMUTES with the bits of PipInfo::lut_inputs.
struct Pip { uint32_t to, number; uint16_t delay_class; uint8_t lut_permutation; };
constexpr uint8_t PERMUTES = 0x80;

class RoutingGraph {
public:
    int width, height;                  // tiles
    std::vector<Wire> wires;
    std::vector<Pip> pips;              // by the wire that they come from
    std::vector<uint32_t> pip_source;   // wire, by the same index
    std::vector<ChipDatabase::PipDelay> delays;         // by delay class

    RoutingGraph(const char *database, int grade);

    // Indices of the pips out of a wire.
    uint32_t first_pip(uint32_t wire) const { return first_out[wire]; }
    uint32_t last_pip(uint32_t wire) const { return first_out[wire + 1]; }
    // Indices in `sources` of the wires that have a pip to a wire.
    uint32_t first_source(uint32_t wire) const { return first_in[wire]; }
    uint32_t last_source(uint32_t wire) const { return first_in[wire + 1]; }
    std::vector<uint32_t> sources;

    const char *wire_name(uint32_t wire) const;
    // NONE if there is no such wire.
    uint32_t find_wire(int x, int y, const char *name);
    int tile_of_pip(uint32_t pip) const;

private:
    ChipDatabase database;
    std::vector<uint32_t> first_wire, first_pip_number; // of a tile
    std::vector<uint32_t> first_out, first_in;          // of a wire
    std::unordered_map<std::string, uint32_t> found;    // index in a tile, by its type and the name

    const ChipDatabase::TileType &type_of(int tile) const {
        return database.tile_types[database.type_of_tile[tile]];
    }
    uint32_t wire_at(int x, int y, int index) const;
    template <typename Visit> void for_each_pip(Visit visit) const;
    void connect();
    void classify();
};

#endif
