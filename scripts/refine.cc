// Simulated annealing of a placed design; refine.py says what about, and writes and reads the
// files. Sites are tiles of 17 slots (8 tables, 8 registers, the write port of memory), and single
// places of multipliers and block RAMs, which are tiles of one slot here.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "slack.h"

namespace {

constexpr int TABLES = 8, SLOTS = 17, EMPTY = -1;
constexpr int MEMORY_TABLES = 6;        // that a memory needs of its tile, besides the last slot
constexpr int BIG_NET = 64;             // sinks, from which on a net's extent does not count
constexpr size_t FEW = 12;              // sinks, from which on only late wires hold a group
constexpr float NEAR = 1.2f;            // ns between members of a group
constexpr int ROOM = 20;                // wires into a tile, from which on it is crowded
constexpr float CROWDED = 0.002f;       // cost of the square of those beyond
constexpr float MORE = 0.85f;           // of the slowest path, what it is to be at least
constexpr float STRAIGHT = 6;           // sharpness times ns, from which on lateness costs in line
constexpr float SHARPEST = 3.5f, BLUNTEST = 2.0f;   // per ns, at the last and at the first round
constexpr float COLDEST = 0.006f;       // temperature at the last round
constexpr float FAR = 30, FIRST = 5, CLOSE = 1;     // tiles that a unit moves at most
constexpr float ACCEPTED = 0.44f;       // of the legal moves: fewer, and they become shorter
constexpr int ATTEMPTS = 10;            // at a legal move
constexpr int MOVES = 4;                // of a unit in a round
constexpr float NEARLY_LATE = 0.5f;     // ns of slack
constexpr int MOVES_A_GROUP = 40;
// Leaps in a round, in the first half of them; how many periods a path takes, from which on there
// are some; what part of its lateness a wire has that they begin at.
constexpr int LEAPS = 8;
constexpr float FAR_TOO_LATE = 1.04f, LATEST = 0.7f;
constexpr int TOLD = 10;                // rounds
constexpr int MOST_TILES = 60;          // that move as one
// Wires in a tile, from which on they cost more there; what they cost more if they are twice as
// many; what part of a new price counts after a round.
constexpr float FREE = 50, STEEP = 15, AT_ONCE = 0.3f;
constexpr float A_PIN = 0.4f;           // wires that a net needs where it begins or ends
constexpr int MANY = 2;                 // sinks, from which on a net is longer than its extent
constexpr float LONGER = 0.03f;         // for each

// `selects`: takes its half's wire M; `pins`: wires into it out of the fabric
struct Cell { int tile, slot, unit, tile_set, slice_set; bool selects; int pins; };
struct Tile { int x, y, kind, pins, cells[SLOTS]; };
// `limit`: the delay that would leave no slack
struct Wire { int net, driver, sink; bool inside; float limit; };
struct Unit { std::vector<int> cells; bool fixed; };
struct Place { int16_t x, y; };
struct Box { int left, right, top, bottom; };

std::vector<Cell> cells;
std::vector<Tile> tiles;
std::vector<Wire> wires;
Timing timing;
std::vector<Unit> units;
std::vector<int> driver;                // of a net: cell
Lists sinks_of, inputs_of, outputs_of;  // net: wires; cell: wires, nets; none inside a tile
std::vector<Place> place;               // of a cell
std::vector<std::vector<int>> tile_at;  // by x, y
float period, step;

uint64_t state;

uint32_t draw(uint32_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<uint32_t>(((state >> 32) * below) >> 32);
}

float uniform() { return (draw(1u << 24) + 0.5f) / (1u << 24); }

float delay(const Wire &wire) {
    if (wire.inside) return 0;
    Place from = place[wire.driver], to = place[wire.sink];
    int dx = std::abs(from.x - to.x), dy = std::abs(from.y - to.y);
    return step * (6 + std::max(dx - 5, 0) + std::max(dy - 5, 0)
                   + 2 * (std::min(dx, 5) + std::min(dy, 5)));
}

float slack(const Wire &wire) { return wire.limit - delay(wire); }

Late analyse() { return timing.analyse(wires, period, delay); }

// ---- cost ---------------------------------------------------------------------------------------

float wirelength;                       // what a tile of a net's extent costs
float sharpness;                        // per ns

// What a wire's lateness costs: exponential, and from somewhere on straight on.
float lateness(const Wire &wire) {
    float late = -slack(wire) * sharpness;
    return late < -12 ? 0 : late < STRAIGHT ? std::exp(late)
                                            : std::exp(STRAIGHT) * (1 + late - STRAIGHT);
}

Box box(int net) {
    const Place from = place[driver[net]];
    Box box{from.x, from.x, from.y, from.y};
    for (int at : sinks_of[net]) {
        const Place to = place[wires[at].sink];
        box.left = std::min<int>(box.left, to.x), box.right = std::max<int>(box.right, to.x);
        box.top = std::min<int>(box.top, to.y), box.bottom = std::max<int>(box.bottom, to.y);
    }
    return box;
}

int extent(const Box &box) { return box.right - box.left + box.bottom - box.top; }

// What is known of each tile of the device, row by row.
struct Map {
    int width, height;
    std::vector<double> values;

    Map(int width, int height, double value = 0)
        : width(width), height(height), values(width * height, value) {}
    double &at(int x, int y) { return values[y * width + x]; }
    void accumulate() {
        for (int y = 0; y < height; ++y)
            for (int x = 1; x < width; ++x) at(x, y) += at(x - 1, y);
        for (int y = 1; y < height; ++y)
            for (int x = 0; x < width; ++x) at(x, y) += at(x, y - 1);
    }
    // Of a map that was accumulated, with a row and a column of nothing before.
    double mean(const Box &box) {
        return (at(box.right + 1, box.bottom + 1) - at(box.left, box.bottom + 1)
                - at(box.right + 1, box.top) + at(box.left, box.top))
            / ((box.right - box.left + 1) * (box.bottom - box.top + 1));
    }
};

Map prices(0, 0), summed(0, 0);         // of a wire through a tile; the same, accumulated

float length_cost(int net) {
    if (sinks_of[net].size() >= BIG_NET) return 0;
    Box around = box(net);
    int length = extent(around);
    return length ? wirelength * length * static_cast<float>(summed.mean(around)) : 0;
}

struct Need { int crowded; double most; };  // tiles that need more than FREE; wires in one tile

// Sets prices by how many wires nets need in each tile, each net everywhere in its extent alike and
// some more at its ends, and of a tile and those around it the mean. The mean price is 1.
Need set_prices() {
    int width = prices.width, height = prices.height;
    Need need{0, 0};
    Map needed(width + 1, height + 1);
    for (size_t net = 0; net < driver.size(); ++net) {
        Box b = box(net);
        int sinks = sinks_of[net].size();
        double density = extent(b) * (1 + LONGER * std::max(0, sinks - MANY))
            / ((b.right - b.left + 1) * (b.bottom - b.top + 1));
        needed.at(b.left, b.top) += density, needed.at(b.right + 1, b.top) -= density;
        needed.at(b.left, b.bottom + 1) -= density, needed.at(b.right + 1, b.bottom + 1) += density;
    }
    needed.accumulate();
    for (size_t net = 0; net < driver.size(); ++net) {
        needed.at(place[driver[net]].x, place[driver[net]].y) += A_PIN;
        for (int at : sinks_of[net])
            needed.at(place[wires[at].sink].x, place[wires[at].sink].y) += A_PIN;
    }
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            double sum = 0;
            int count = 0;
            for (int v = std::max(y - 1, 0); v <= std::min(y + 1, height - 1); ++v)
                for (int u = std::max(x - 1, 0); u <= std::min(x + 1, width - 1); ++u)
                    sum += needed.at(u, v), ++count;
            double excess = std::max(0.0, sum / count / FREE - 1);
            need.crowded += excess > 0;
            need.most = std::max(need.most, sum / count);
            prices.at(x, y) += AT_ONCE * (1 + STEEP * excess - prices.at(x, y));
        }
    double mean = 0;
    for (double price : prices.values) mean += price / prices.values.size();
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) summed.at(x + 1, y + 1) = prices.at(x, y) / mean;
    for (int y = 0; y <= height; ++y) summed.at(0, y) = 0;
    for (int x = 0; x <= width; ++x) summed.at(x, 0) = 0;
    summed.accumulate();
    return need;
}

// What each wire and each net costs as things stand; what some of them would cost.
std::vector<float> wire_cost, net_cost, new_wire_cost, new_net_cost;
std::vector<int> seen_wire, seen_net, found_wires, found_nets;
int stamp;

void count_all() {
    for (size_t at = 0; at < wires.size(); ++at) wire_cost[at] = lateness(wires[at]);
    for (size_t net = 0; net < driver.size(); ++net) net_cost[net] = length_cost(net);
}

// Finds the wires and nets of the cells, each once; what they cost as things stood.
float cost(const std::vector<int> &moved) {
    ++stamp;
    found_wires.clear(), found_nets.clear();
    double result = 0;
    auto count = [&](int at) {
        if (seen_wire[at] == stamp) return;
        seen_wire[at] = stamp;
        found_wires.push_back(at);
        result += wire_cost[at];
    };
    auto count_net = [&](int net) {
        if (seen_net[net] == stamp) return;
        seen_net[net] = stamp;
        found_nets.push_back(net);
        result += net_cost[net];
    };
    for (int cell : moved) {
        for (int at : inputs_of[cell]) count(at), count_net(wires[at].net);
        for (int net : outputs_of[cell]) {
            count_net(net);
            for (int at : sinks_of[net]) count(at);
        }
    }
    return result;
}

// What those that were found cost now.
float new_cost() {
    double result = 0;
    new_wire_cost.resize(found_wires.size()), new_net_cost.resize(found_nets.size());
    for (size_t at = 0; at < found_wires.size(); ++at)
        result += new_wire_cost[at] = lateness(wires[found_wires[at]]);
    for (size_t at = 0; at < found_nets.size(); ++at)
        result += new_net_cost[at] = length_cost(found_nets[at]);
    return result;
}

void keep_costs() {
    for (size_t at = 0; at < found_wires.size(); ++at)
        wire_cost[found_wires[at]] = new_wire_cost[at];
    for (size_t at = 0; at < found_nets.size(); ++at) net_cost[found_nets[at]] = new_net_cost[at];
}

// ---- moves --------------------------------------------------------------------------------------

// A part of a tile, or some tiles beside each other.
struct Region { int tile, first, kind; };
enum { TABLE, REGISTER, HALF, SLICE, TWO_SLICES, TILES, SITE };

int count_tiles;                        // of regions of the move

template <typename Visit> void each_slot(const Region &region, Visit visit) {
    switch (region.kind) {
    case TABLE: visit(region.tile, region.first); break;
    case REGISTER: visit(region.tile, TABLES + region.first); break;
    case TILES:
        for (int tile = 0; tile < count_tiles; ++tile)
            for (int slot = 0; slot < SLOTS; ++slot) visit(region.tile + tile, slot);
        break;
    case SITE: visit(region.tile, 0); break;
    default: {
        int size = region.kind == HALF ? 1 : region.kind == SLICE ? 2 : 4;
        for (int at = 0; at < size; ++at) {
            visit(region.tile, region.first + at);
            visit(region.tile, TABLES + region.first + at);
        }
    }
    }
}

// The least region around the unit; false if there is none.
bool region_of(const Unit &unit, Region &region) {
    const Cell &first = cells[unit.cells[0]];
    count_tiles = 1;
    if (unit.fixed) return false;
    if (tiles[first.tile].kind) {
        region = {first.tile, 0, SITE};
        return unit.cells.size() == 1;
    }
    int low = first.tile, high = first.tile, from = SLOTS, to = 0;
    bool memory = false;
    for (int cell : unit.cells) {
        low = std::min(low, cells[cell].tile), high = std::max(high, cells[cell].tile);
        int slot = cells[cell].slot;
        memory |= slot == SLOTS - 1;
        from = std::min(from, slot % TABLES), to = std::max(to, slot % TABLES);
    }
    count_tiles = high - low + 1;
    if (low != high || memory) region = {low, 0, TILES};
    else if (unit.cells.size() == 1 && from == to)
        region = {low, from, first.slot < TABLES ? TABLE : REGISTER};
    else if (from == to) region = {low, from, HALF};
    else if (from / 2 == to / 2) region = {low, from & ~1, SLICE};
    else if (from / 4 == to / 4) region = {low, from & ~3, TWO_SLICES};
    else region = {low, 0, TILES};
    return tiles[low].y == tiles[high].y && tiles[high].x - tiles[low].x == high - low;
}

std::vector<int> found_units;

// Whether all units with a cell in the region are inside it, and may move; their cells to `inside`.
bool closed(const Region &region, std::vector<int> &inside) {
    size_t count = inside.size(), expected = 0;
    bool fixed = false;
    found_units.clear();
    each_slot(region, [&](int tile, int slot) {
        int cell = tiles[tile].cells[slot];
        if (cell == EMPTY) return;
        inside.push_back(cell);
        for (int unit : found_units) if (unit == cells[cell].unit) return;
        found_units.push_back(cells[cell].unit);
        expected += units[cells[cell].unit].cells.size();
        fixed |= units[cells[cell].unit].fixed;
    });
    return !fixed && inside.size() - count == expected;
}

bool legal(int tile_number) {
    const Tile &tile = tiles[tile_number];
    if (tile.kind) return true;
    int memory = tile.cells[SLOTS - 1];
    if (memory != EMPTY)                // the tile's last slice and all registers are free
        for (int slot = 0; slot < MEMORY_TABLES; ++slot) {
            int cell = tile.cells[slot];
            if (cell != EMPTY && cells[cell].unit != cells[memory].unit) return false;
        }
    int shared = EMPTY;
    for (int half = 0; half < TABLES; ++half) {
        int at = tile.cells[TABLES + half];
        if (at == EMPTY) continue;
        const Cell &cell = cells[at];
        if (shared != EMPTY && shared != cell.tile_set) return false;
        shared = cell.tile_set;
        int other = tile.cells[TABLES + (half ^ 1)];
        if (other != EMPTY && cells[other].slice_set != cell.slice_set) return false;
        int table = tile.cells[half];
        if (table != EMPTY && cell.selects && cells[table].selects) return false;
    }
    return true;
}

bool legal(const Region &region) {
    for (int tile = 0; tile < (region.kind == TILES ? count_tiles : 1); ++tile)
        if (!legal(region.tile + tile)) return false;
    return true;
}

void put(int cell, int tile, int slot) {
    if (cell == EMPTY) return;
    Cell &moved = cells[cell];
    tiles[moved.tile].pins -= moved.pins, tiles[tile].pins += moved.pins;
    moved.tile = tile, moved.slot = slot;
    place[cell] = {static_cast<int16_t>(tiles[tile].x), static_cast<int16_t>(tiles[tile].y)};
}

void swap(const Region &one, const Region &other) {
    int slots[2][SLOTS * MOST_TILES][2], count[2] = {0, 0};
    const Region *both[] = {&one, &other};
    for (int side = 0; side < 2; ++side)
        each_slot(*both[side], [&](int tile, int slot) {
            slots[side][count[side]][0] = tile;
            slots[side][count[side]++][1] = slot;
        });
    for (int at = 0; at < count[0]; ++at) {
        int &a = tiles[slots[0][at][0]].cells[slots[0][at][1]];
        int &b = tiles[slots[1][at][0]].cells[slots[1][at][1]];
        std::swap(a, b);
        put(a, slots[0][at][0], slots[0][at][1]);
        put(b, slots[1][at][0], slots[1][at][1]);
    }
}

std::vector<int> moved, sites[4];

// Where the neighbours of the cells are, by the lateness of the wires to them; false if there are
// none. A neighbour of the same group does not count.
template <typename Inside> bool middle(const std::vector<int> &group, Inside inside,
                                       float &x, float &y) {
    double sum = 0, sum_x = 0, sum_y = 0;
    auto add = [&](const Wire &wire, int cell) {
        if (inside(cells[cell].unit)) return;
        float weight = lateness(wire) + 1e-2f;
        sum += weight;
        sum_x += weight * tiles[cells[cell].tile].x;
        sum_y += weight * tiles[cells[cell].tile].y;
    };
    for (int unit : group)
        for (int cell : units[unit].cells) {
            for (int at : inputs_of[cell]) add(wires[at], driver[wires[at].net]);
            for (int net : outputs_of[cell])
                if (sinks_of[net].size() < BIG_NET)
                    for (int at : sinks_of[net]) add(wires[at], wires[at].sink);
        }
    if (sum == 0) return false;
    x = sum_x / sum, y = sum_y / sum;
    return true;
}

int tile_near(int x, int y, int reach) {
    x += static_cast<int>(draw(2 * reach + 1)) - reach;
    y += static_cast<int>(draw(2 * reach + 1)) - reach;
    x = std::min(std::max(x, 0), static_cast<int>(tile_at.size()) - 1);
    y = std::min(std::max(y, 0), static_cast<int>(tile_at[0].size()) - 1);
    return tile_at[x][y];
}

// Gives `to`, of which the tile is set, the form of `from`; false if it cannot be there.
bool fit(const Region &from, Region &to) {
    int tile = to.tile;
    if (tile == EMPTY) return false;
    to = from;
    to.tile = tile;
    if (from.kind == TABLE || from.kind == REGISTER || from.kind == HALF) to.first = draw(TABLES);
    else if (from.kind == SLICE) to.first = 2 * draw(4);
    else if (from.kind == TILES) {
        int last = tile + count_tiles - 1;
        if (last >= static_cast<int>(tiles.size()) || tiles[last].kind
                || tiles[last].y != tiles[tile].y
                || tiles[last].x - tiles[tile].x != count_tiles - 1
                || std::abs(tile - from.tile) < count_tiles)
            return false;
    }
    return to.tile != from.tile || to.first != from.first;
}

// What it costs that many wires lead into the tiles of the region.
float crowding(const Region &region) {
    float result = 0;
    int count = region.kind == SITE ? 0 : region.kind == TILES ? count_tiles : 1;
    for (int tile = region.tile; tile < region.tile + count; ++tile) {
        float excess = std::max(0, tiles[tile].pins - ROOM);
        result += CROWDED * excess * excess;
    }
    return result;
}

// Swaps what is in the regions if that is legal; `more` is what it costs.
bool swap_legally(const Region &from, const Region &to, float &more) {
    moved.clear();
    if (!closed(from, moved) || !closed(to, moved)) return false;
    float before = crowding(from) + crowding(to);
    swap(from, to);
    if (legal(from) && legal(to)) {
        before += cost(moved);
        more = new_cost() + crowding(from) + crowding(to) - before;
        return true;
    }
    swap(from, to);
    return false;
}

bool is_empty(const Region &region) {
    bool empty = true;
    each_slot(region, [&](int tile, int slot) { empty &= tiles[tile].cells[slot] == EMPTY; });
    return empty;
}

bool accepts(float more, float temperature) {
    return more <= 0 || uniform() < std::exp(-more / temperature);
}

enum Result { NONE, REJECTED, DONE };

Result try_move(int unit, int reach, float temperature) {
    Region from, to;
    if (!region_of(units[unit], from) || count_tiles > MOST_TILES) return NONE;
    const Tile &here = tiles[from.tile];
    float x = here.x, y = here.y;
    if (from.kind != SITE && !draw(4))
        middle({unit}, [&](int other) { return other == unit; }, x, y);
    for (int attempt = 0; attempt < ATTEMPTS; ++attempt) {
        if (from.kind == SITE) to.tile = sites[here.kind][draw(sites[here.kind].size())];
        else to.tile = tile_near(std::lround(x), std::lround(y), reach);
        float more;
        if (!fit(from, to) || !swap_legally(from, to, more)) continue;
        if (accepts(more, temperature)) {
            keep_costs();
            return DONE;
        }
        swap(from, to);
        return REJECTED;
    }
    return NONE;
}

std::vector<int> group_of;              // of a unit: the last group it was in
int group_number;
struct Step { Region from, to; int tiles; };

// Moves what is close together towards where all its neighbours are: a queue and what surrounds it
// cannot go one by one. `more` is what that costs as things stand, `steps` what take_back needs;
// false if there is nothing to move.
bool move_group(int first, std::vector<Step> &steps, float &more) {
    std::vector<int> group{first};
    group_of[first] = ++group_number;
    size_t most = 2 + draw(60);
    auto add = [&](const Wire &wire, int cell) {
        int unit = cells[cell].unit;
        if (sinks_of[wire.net].size() >= FEW && slack(wire) > NEARLY_LATE) return;
        if (group_of[unit] == group_number || group.size() >= most || delay(wire) > NEAR) return;
        Region region;
        if (!region_of(units[unit], region) || region.kind == SITE) return;
        group_of[unit] = group_number;
        group.push_back(unit);
    };
    for (size_t at = 0; at < group.size(); ++at)
        for (size_t member = 0; member < units[group[at]].cells.size(); ++member) {
            int cell = units[group[at]].cells[member];
            for (int wire : inputs_of[cell]) add(wires[wire], driver[wires[wire].net]);
            for (int net : outputs_of[cell])
                for (int wire : sinks_of[net]) add(wires[wire], wires[wire].sink);
        }
    float x, y, here_x = 0, here_y = 0;
    if (group.size() < 2
            || !middle(group, [](int unit) { return group_of[unit] == group_number; }, x, y))
        return false;
    for (int unit : group) {
        here_x += tiles[cells[units[unit].cells[0]].tile].x / static_cast<float>(group.size());
        here_y += tiles[cells[units[unit].cells[0]].tile].y / static_cast<float>(group.size());
    }
    float part = uniform();
    int by_x = std::lround((x - here_x) * part), by_y = std::lround((y - here_y) * part);
    if (!by_x && !by_y) return false;
    steps.clear();
    more = 0;
    for (int unit : group) {
        Region from, to;
        bool found = false;
        for (int attempt = 0; region_of(units[unit], from) && !found && attempt < 100; ++attempt) {
            if (from.kind == SITE || count_tiles > MOST_TILES) break;
            to.tile = tile_near(tiles[from.tile].x + by_x, tiles[from.tile].y + by_y,
                                attempt / 10);
            float step_more;
            if (fit(from, to) && (from.kind == TILES || is_empty(to))
                    && swap_legally(from, to, step_more)) {
                found = true;
                keep_costs();
                more += step_more;
                steps.push_back({from, to, count_tiles});
            }
        }
    }
    return !steps.empty();
}

void take_back(const std::vector<Step> &steps) {
    for (size_t at = steps.size(); at--;) {
        count_tiles = steps[at].tiles;
        moved.clear();
        closed(steps[at].from, moved), closed(steps[at].to, moved);
        swap(steps[at].from, steps[at].to);
        cost(moved), new_cost(), keep_costs();
    }
}

// Moves a group if that pays, or for the temperature.
bool try_group(int first, float temperature) {
    std::vector<Step> steps;
    float more;
    if (!move_group(first, steps, more)) return false;
    if (accepts(more, temperature)) return true;
    take_back(steps);
    return false;
}

// What everything costs, by new arrival and required times.
double count_anew() {
    analyse();
    count_all();
    double sum = 0;
    for (float cost : wire_cost) sum += cost;
    for (float cost : net_cost) sum += cost;
    return sum;
}

// Moves a group if that pays by the times that paths have afterwards. Where a late path leaves the
// group and comes back to it, the wires inside have no more room as things stand, and a move that
// makes all of them faster seems dear. `sum` is what everything costs.
bool leap(int first, double &sum) {
    std::vector<Step> steps;
    float as_things_stood;
    if (!move_group(first, steps, as_things_stood)) return false;
    double after = count_anew();
    if (after < sum) {
        sum = after;
        return true;
    }
    take_back(steps);
    count_anew();
    return false;
}

void read_all() {
    period = read_float();
    step = read_float();
    tiles.resize(read_int());
    int most_x = 0, most_y = 0;
    for (Tile &tile : tiles) {
        tile.x = read_int(), tile.y = read_int(), tile.kind = read_int(), tile.pins = 0;
        std::fill(tile.cells, tile.cells + SLOTS, EMPTY);
        if (tile.kind) sites[tile.kind].push_back(&tile - tiles.data());
        most_x = std::max(most_x, tile.x), most_y = std::max(most_y, tile.y);
    }
    tile_at.assign(most_x + 1, std::vector<int>(most_y + 1, EMPTY));
    for (size_t tile = 0; tile < tiles.size(); ++tile)
        if (!tiles[tile].kind) tile_at[tiles[tile].x][tiles[tile].y] = tile;
    units.resize(read_int());
    for (Unit &unit : units) unit.fixed = read_int();
    cells.resize(read_int());
    place.resize(cells.size());
    for (size_t at = 0; at < cells.size(); ++at) {
        Cell &cell = cells[at];
        cell.tile = read_int(), cell.slot = read_int(), cell.unit = read_int();
        cell.tile_set = read_int(), cell.slice_set = read_int(), cell.selects = read_int();
        cell.pins = read_int();
        Tile &tile = tiles[cell.tile];
        tile.cells[cell.slot] = at;
        tile.pins += cell.pins;
        units[cell.unit].cells.push_back(at);
        place[at] = {static_cast<int16_t>(tile.x), static_cast<int16_t>(tile.y)};
    }
    driver.resize(read_int());
    timing.launch.resize(driver.size());
    for (size_t net = 0; net < driver.size(); ++net)
        driver[net] = read_int(), timing.launch[net] = read_float();
    wires.resize(read_int());
    for (Wire &wire : wires) {
        wire.net = read_int(), wire.sink = read_int(), wire.inside = read_int();
        wire.driver = driver[wire.net];
    }
    timing.read_edges();
    outputs_of = Lists(cells.size(), driver.size(), [](size_t net) { return driver[net]; });
    inputs_of = Lists(cells.size(), wires.size(), [](size_t at) {
        return wires[at].inside ? -1 : wires[at].sink; });
    sinks_of = Lists(driver.size(), wires.size(), [](size_t at) {
        return wires[at].inside ? -1 : wires[at].net; });
    group_of.resize(units.size());
    seen_wire.resize(wires.size()), seen_net.resize(driver.size());
    wire_cost.resize(wires.size()), net_cost.resize(driver.size());
    prices = Map(most_x + 1, most_y + 1, 1), summed = Map(most_x + 2, most_y + 2);
}

}  // namespace

int main(int count, char **arguments) {
    if (count != 7) return 2;
    int rounds = std::atoi(arguments[1]);
    wirelength = std::atof(arguments[2]);
    state = 88172645463325252ull + std::atoi(arguments[3]);
    float hot = std::atof(arguments[4]);
    if (!std::freopen(arguments[5], "r", stdin)) return 2;
    read_all();
    timing.sort_nets(wires);
    float reach = FIRST;
    for (int round = 0; round <= rounds; ++round) {
        float done = static_cast<float>(round) / rounds;
        sharpness = BLUNTEST + (SHARPEST - BLUNTEST) * done;
        Late late = analyse();
        if (!round && late.slowest * MORE < period) {   // what is fast enough is made faster, too
            period = late.slowest * MORE;
            late = analyse();
        }
        Need need = set_prices();
        count_all();
        double length = 0;
        for (size_t net = 0; net < driver.size(); ++net) length += extent(box(net));
        if (round % TOLD == 0 || round == rounds)
            std::fprintf(stderr, "round %d: slowest %.2f ns, %d ends late by %.0f ns, %.0f tiles "
                         "of wire, %d tiles crowded, at most %.0f wires in one\n", round,
                         late.slowest, late.count, late.sum, length, need.crowded, need.most);
        if (round == rounds) break;
        std::vector<int> late_units, latest_units;
        for (const Wire &wire : wires) {
            if (wire.inside || slack(wire) >= NEARLY_LATE) continue;
            for (int cell : {wire.sink, wire.driver}) {
                late_units.push_back(cells[cell].unit);
                if (slack(wire) < LATEST * (period - late.slowest))
                    latest_units.push_back(cells[cell].unit);
            }
        }
        float temperature = hot * std::pow(COLDEST / hot, done);
        int leaps = 0;
        if (late.slowest > FAR_TOO_LATE * period && !latest_units.empty() && 2 * round < rounds) {
            double sum = count_anew();
            for (int at = 0; at < LEAPS; ++at)
                leaps += leap(latest_units[draw(latest_units.size())], sum);
        }
        int grouped = 0, moves = MOVES * units.size(), results[3] = {0, 0, 0};
        for (int move = 0; move < moves; ++move) {
            int unit = !late_units.empty() && !draw(4) ? late_units[draw(late_units.size())]
                                                       : draw(units.size());
            ++results[try_move(unit, std::lround(reach), temperature)];
            if (move % MOVES_A_GROUP == 0 && !late_units.empty())
                grouped += try_group(late_units[draw(late_units.size())], temperature);
        }
        if (round % TOLD == 0)
            std::fprintf(stderr, "  %d of %d moves, %d legal, within %.1f tiles; %d groups; "
                         "%d leaps; temperature %.4f\n", results[DONE], moves,
                         results[DONE] + results[REJECTED], reach, grouped, leaps, temperature);
        reach *= 1 - ACCEPTED + results[DONE] / (results[DONE] + results[REJECTED] + 1.0f);
        reach = std::min(std::max(reach, CLOSE), FAR);
    }
    FILE *answer = std::fopen(arguments[6], "w");
    if (!answer) return 3;
    for (const Cell &cell : cells) std::fprintf(answer, "%d %d\n", cell.tile, cell.slot);
    return std::fclose(answer) ? 3 : 0;
}
