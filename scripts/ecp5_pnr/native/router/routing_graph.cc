#include "router/routing_graph.h"

#include <algorithm>
#include <cstring>

RoutingGraph::RoutingGraph(const char *path, int grade) : database(path) {
    width = database.width, height = database.height;
    delays = database.read_pip_delays(grade);
    first_wire.push_back(0), first_pip_number.push_back(0);
    for (int tile = 0; tile < width * height; ++tile) {
        first_wire.push_back(first_wire.back() + type_of(tile).wires.size);
        first_pip_number.push_back(first_pip_number.back() + type_of(tile).pips.size());
    }
    wires.resize(first_wire.back());
    connect();
    classify();
}

uint32_t RoutingGraph::wire_at(int x, int y, int index) const {
    if (x < 0 || y < 0 || x >= width || y >= height) std::exit(UNKNOWN_DATABASE);
    uint32_t wire = first_wire[y * width + x] + index;
    if (wire >= wires.size()) std::exit(UNKNOWN_DATABASE);
    return wire;
}

// Visits each pip with the wires at its ends.
template <typename Visit> void RoutingGraph::for_each_pip(Visit visit) const {
    uint32_t number = 0;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (const ChipDatabase::PipInfo &pip : type_of(y * width + x).pips)
                visit(wire_at(x + pip.from_x, y + pip.from_y, pip.from),
                      wire_at(x + pip.to_x, y + pip.to_y, pip.to), pip, number++);
}

void RoutingGraph::connect() {
    using PipInfo = ChipDatabase::PipInfo;
    first_out.assign(wires.size() + 1, 0), first_in = first_out;
    for_each_pip([&](uint32_t from, uint32_t to, const PipInfo &, uint32_t) {
        ++first_out[from + 1], ++first_in[to + 1];
    });
    for (size_t at = 0; at < wires.size(); ++at)
        first_out[at + 1] += first_out[at], first_in[at + 1] += first_in[at];
    pips.resize(first_out.back()), pip_source.resize(pips.size());
    sources.resize(pips.size());
    std::vector<uint32_t> out = first_out, in = first_in;
    for_each_pip([&](uint32_t from, uint32_t to, const PipInfo &pip, uint32_t number) {
        if (pip.delay_class >= delays.size()) std::exit(UNKNOWN_DATABASE);
        uint8_t permutation = pip.permutes_lut ? PERMUTES | pip.lut_inputs : 0;
        pip_source[out[from]] = from;
        pips[out[from]++] = {to, number, pip.delay_class, permutation};
        sources[in[to]++] = from;
    });
}

// A wire without a pip out of it is the pin of a site. Names in the clock network begin with G_.
void RoutingGraph::classify() {
    for (int tile = 0; tile < width * height; ++tile)
        for (uint32_t at = first_wire[tile]; at < first_wire[tile + 1]; ++at) {
            wires[at].x = tile % width, wires[at].y = tile / width;
            if (!std::strncmp(wire_name(at), "G_", 2)) wires[at].kind |= CLOCK_NETWORK;
            if (first_pip(at) == last_pip(at)) wires[at].kind |= SITE_PIN;
        }
    for (size_t at = 0; at < wires.size(); ++at) {
        bool feeds_pins_only = !(wires[at].kind & SITE_PIN);
        for (uint32_t pip = first_pip(at); pip < last_pip(at); ++pip)
            feeds_pins_only &= wires[pips[pip].to].kind & SITE_PIN;
        if (feeds_pins_only) wires[at].kind |= FEEDS_PINS_ONLY;
    }
}

const char *RoutingGraph::wire_name(uint32_t wire) const {
    int tile = wires[wire].y * width + wires[wire].x;
    return database.wire_name(type_of(tile), wire - first_wire[tile]);
}

uint32_t RoutingGraph::find_wire(int x, int y, const char *name) {
    if (x < 0 || y < 0 || x >= width || y >= height) return NONE;
    int tile = y * width + x;
    std::string key = std::to_string(database.type_of_tile[tile]) + " " + name;
    auto known = found.find(key);
    if (known != found.end()) return first_wire[tile] + known->second;
    for (uint32_t index = 0; index < type_of(tile).wires.size; ++index)
        if (!std::strcmp(database.wire_name(type_of(tile), index), name)) {
            found[key] = index;
            return first_wire[tile] + index;
        }
    return NONE;
}

int RoutingGraph::tile_of_pip(uint32_t pip) const {
    return std::upper_bound(first_pip_number.begin(), first_pip_number.end(), pips[pip].number)
        - first_pip_number.begin() - 1;
}
