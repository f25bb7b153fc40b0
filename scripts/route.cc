// Routes a placed ECP5 design by negotiation; route.py says what about, and writes and reads the
// files. All nets are routed as if they were alone, then those that share a wire again and again,
// while what is shared costs ever more: L. McMurchie, C. Ebeling: PathFinder: A Negotiation-Based
// Performance-Driven Router for FPGAs, 1995. What is late pays for delay, what is not for wires.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "slack.h"

namespace {

constexpr uint32_t NONE = UINT32_MAX;
constexpr int SLOWEST_GRADE = 6;
// ns that a tile of way takes: what is expected, so that a way is found soon, and the least, so that
// the fastest one is found where a path is late
constexpr float A_TILE = 0.15f, AT_LEAST = 0.09f;
constexpr float LEAST = 0.04f;          // ns, cost of a wire without delay
constexpr float FIRST_PRICE = 0.3f, STEEPER = 1.15f, HARDLY_STEEPER = 1.05f, HIGHEST = 1e4f;
constexpr size_t FEW = 300;             // shared wires, to which the price gets hardly steeper
constexpr float REMEMBERED = 0.09f;     // ns, what having been shared costs for ever
constexpr int AROUND = 8, WIDER = 2;    // tiles around net and sink; each round after
constexpr int NARROW_ROUNDS = 8;
constexpr float MOST_URGENT = 0.8f;     // part of a wire's cost that is delay
constexpr float RELAXED = 4;            // ns of slack, from which on no delay counts
constexpr float AIM = 0.95f;            // of the period: what is fast enough is made faster, too
constexpr float CALMING = 0.8f;         // of the urgency in the round before
constexpr float LESS_PATIENT = 0.8f;    // of what is not delay, where a wire stays late
constexpr float UTMOST = 0.97f;         // urgency
constexpr int LATE_FROM = 3;            // round, from which on what is late is routed again
constexpr int MANY = 200, STRAY = 12;   // wires of a net; tiles farther than the nearest of them
constexpr int ROUNDS = 250, POLISHING = 10;     // at most; those in which nothing is shared
constexpr int STUCK = 40;               // rounds in which no fewer wires are shared: there is no room
constexpr float UNHURRIED = 0.5f;       // urgency, up to which a way is to be found soon
// what may be swapped at the inputs of a table; the first two or the last two of them
enum Swaps { NO_SWAP, ANY_SWAP, SWAP_IN_PAIRS };
enum Kind : uint8_t { PIN = 1, TO_PINS = 2, NOT_OURS = 4 };

// ---- the device -----------------------------------------------------------------------------

// nextpnr's database: little-endian, with places given by how far they are ahead.
struct Database {
    std::vector<char> bytes;
    struct Slice { size_t at; uint32_t size; };

    explicit Database(const char *path) : bytes() {
        std::FILE *file = std::fopen(path, "rb");
        if (!file) std::exit(3);
        char block[1 << 16];
        for (size_t got; (got = std::fread(block, 1, sizeof block, file));)
            bytes.insert(bytes.end(), block, block + got);
        std::fclose(file);
        bytes.push_back(0);             // so that the last text ends
    }
    template <typename Type> Type read(size_t at) const {
        Type value;
        if (at + sizeof value > bytes.size()) std::exit(4);
        std::memcpy(&value, bytes.data() + at, sizeof value);
        return value;
    }
    Slice slice(size_t at) const { return {at + read<int32_t>(at), read<uint32_t>(at + 4)}; }
    const char *text(size_t at) const {
        size_t from = at + read<int32_t>(at);
        if (from >= bytes.size()) std::exit(4);
        return bytes.data() + from;
    }
};

// What tiles of a kind have.
struct Layout { Database::Slice wires, switches; };

constexpr size_t WIRE_SIZE = 32, SWITCH_SIZE = 20, LAYOUT_SIZE = 24, CLASS_SIZE = 16;

// `cost`, `from`, `seen`: of the search that goes on; `near`: the last search whose sink is behind;
// `price`: ns for having been shared
struct alignas(32) Wire {
    float cost;
    uint32_t from, seen, near;
    float price;
    int16_t x, y;
    uint16_t users;
    uint8_t kind;
};
struct Switch { uint32_t to, number; uint16_t speed; uint8_t swap; };

struct Device {
    Database database;
    int width = 0, height = 0;
    std::vector<Layout> layouts;
    std::vector<int> layout_of;         // of a tile
    std::vector<uint32_t> first_wire, first_switch;     // of a tile; switches by their number
    std::vector<float> delay, more;     // of a class of switches: ns; ns for each that it drives
    std::vector<Wire> wires;
    std::vector<uint32_t> first_out, first_in;          // of a wire
    std::vector<Switch> switches;       // by the wire that they come from
    std::vector<uint32_t> source;       // of each of them
    std::vector<uint32_t> sources;      // by the wire that they lead to
    std::unordered_map<std::string, uint32_t> known;

    Device(const char *path, int grade) : database(path) {
        size_t top = database.read<int32_t>(0);
        width = database.read<int32_t>(top), height = database.read<int32_t>(top + 4);
        Database::Slice kinds = database.slice(top + 16), tiles = database.slice(top + 24);
        Database::Slice grades = database.slice(top + 72);
        if (width < 1 || height < 1 || tiles.size != static_cast<uint32_t>(width * height)
                || grade < SLOWEST_GRADE
                || grade - SLOWEST_GRADE >= static_cast<int>(grades.size))
            std::exit(4);
        for (uint32_t at = 0; at < kinds.size; ++at)
            layouts.push_back({database.slice(kinds.at + LAYOUT_SIZE * at + 8),
                               database.slice(kinds.at + LAYOUT_SIZE * at + 16)});
        Database::Slice classes = database.slice(grades.at + 16 * (grade - SLOWEST_GRADE) + 8);
        for (uint32_t at = 0; at < classes.size; ++at) {
            delay.push_back(database.read<int32_t>(classes.at + CLASS_SIZE * at + 4) * 1e-3f);
            more.push_back(database.read<int32_t>(classes.at + CLASS_SIZE * at + 12) * 1e-3f);
        }
        first_wire.push_back(0), first_switch.push_back(0);
        for (uint32_t at = 0; at < tiles.size; ++at) {
            layout_of.push_back(database.read<int32_t>(tiles.at + 4 * at));
            if (layout_of.back() < 0 || layout_of.back() >= static_cast<int>(layouts.size()))
                std::exit(4);
            const Layout &layout = layouts[layout_of.back()];
            database.read<char>(layout.wires.at + WIRE_SIZE * size_t{layout.wires.size});
            database.read<char>(layout.switches.at + SWITCH_SIZE * size_t{layout.switches.size});
            first_wire.push_back(first_wire.back() + layout.wires.size);
            first_switch.push_back(first_switch.back() + layout.switches.size);
        }
        wires.resize(first_wire.back());
        connect();
        classify();
    }

    uint32_t wire_at(int tile, int right, int down, int number) const {
        int x = tile % width + right, y = tile / width + down;
        if (x < 0 || y < 0 || x >= width || y >= height) std::exit(4);
        uint32_t wire = first_wire[y * width + x] + number;
        if (wire >= wires.size()) std::exit(4);
        return wire;
    }

    template <typename Do> void for_each_switch(Do what) const {
        for (int tile = 0; tile < width * height; ++tile) {
            Database::Slice all = layouts[layout_of[tile]].switches;
            for (uint32_t number = 0; number < all.size; ++number) {
                size_t at = all.at + SWITCH_SIZE * number;
                auto field = [&](int from) { return database.read<int16_t>(at + from); };
                what(wire_at(tile, field(0), field(2), field(8)),
                     wire_at(tile, field(4), field(6), field(10)), at,
                     first_switch[tile] + number);
            }
        }
    }

    void connect() {
        first_out.assign(wires.size() + 1, 0), first_in = first_out;
        for_each_switch([&](uint32_t from, uint32_t to, size_t, uint32_t) {
            ++first_out[from + 1], ++first_in[to + 1];
        });
        for (size_t at = 0; at < wires.size(); ++at)
            first_out[at + 1] += first_out[at], first_in[at + 1] += first_in[at];
        switches.resize(first_out.back()), source.resize(switches.size());
        sources.resize(switches.size());
        std::vector<uint32_t> out = first_out, in = first_in;
        for_each_switch([&](uint32_t from, uint32_t to, size_t at, uint32_t number) {
            uint16_t speed = database.read<uint16_t>(at + 12);
            if (speed >= delay.size()) std::exit(4);
            uint8_t swap = database.read<int8_t>(at + 17)
                ? 0x80 | database.read<uint8_t>(at + 16) : 0;
            source[out[from]] = from;
            switches[out[from]++] = {to, number, speed, swap};
            sources[in[to]++] = from;
        });
    }

    // Pins lead nowhere. What begins with G_ is the clocks' own.
    void classify() {
        for (int tile = 0; tile < width * height; ++tile)
            for (uint32_t at = first_wire[tile]; at < first_wire[tile + 1]; ++at) {
                wires[at].x = tile % width, wires[at].y = tile / width;
                if (!std::strncmp(name(at), "G_", 2)) wires[at].kind |= NOT_OURS;
                if (first_out[at] == first_out[at + 1]) wires[at].kind |= PIN;
            }
        for (size_t at = 0; at < wires.size(); ++at) {
            bool only_pins = !(wires[at].kind & PIN);
            for (uint32_t out = first_out[at]; out < first_out[at + 1]; ++out)
                only_pins &= wires[switches[out].to].kind & PIN;
            if (only_pins) wires[at].kind |= TO_PINS;
        }
    }

    int tile_of(uint32_t wire) const { return wires[wire].y * width + wires[wire].x; }

    const char *name(uint32_t wire) const {
        int tile = tile_of(wire);
        return database.text(layouts[layout_of[tile]].wires.at
                             + WIRE_SIZE * (wire - first_wire[tile]));
    }

    uint32_t find(int x, int y, const char *what) {
        if (x < 0 || y < 0 || x >= width || y >= height) return NONE;
        int tile = y * width + x;
        std::string key = std::to_string(layout_of[tile]) + " " + what;
        auto found = known.find(key);
        if (found != known.end()) return first_wire[tile] + found->second;
        for (uint32_t at = first_wire[tile]; at < first_wire[tile + 1]; ++at)
            if (!std::strcmp(database.text(layouts[layout_of[tile]].wires.at
                                           + WIRE_SIZE * (at - first_wire[tile])), what)) {
                known[key] = at - first_wire[tile];
                return at;
            }
        return NONE;
    }

    void print(std::FILE *file, uint32_t by) const {
        const Switch &way = switches[by];
        uint32_t from = source[by];
        int tile = std::upper_bound(first_switch.begin(), first_switch.end(), way.number)
            - first_switch.begin() - 1;
        int x = tile % width, y = tile / width;
        std::fprintf(file, ";X%d/Y%d/%s;X%d/Y%d/%d_%d_%s->%d_%d_%s;1",
                     wires[way.to].x, wires[way.to].y, name(way.to), x, y,
                     wires[from].x - x, wires[from].y - y, name(from),
                     wires[way.to].x - x, wires[way.to].y - y, name(way.to));
    }
};

// ---- the design -----------------------------------------------------------------------------

// `swaps`: of Swaps; `routed`: has its way in the net's tree; `hopeless`: there is none; `last`: the
// switch behind `wire` to a pin that lies among the clocks' own wires, or NONE
struct Sink {
    int net;
    uint32_t wire, last;
    int swaps;
    bool routed, hopeless;
    float delay, limit, urgency;
};
// a wire of a net, by which switch it is driven, and for how many sinks
struct Branch { uint32_t wire, by; int sinks; };
struct Net { uint32_t source; std::vector<Branch> tree; };      // each branch after what drives it

struct Router {
    Device device;
    std::vector<Net> nets;
    std::vector<Sink> sinks;
    Lists sinks_of;
    Timing timing;
    float period = 0, step = 0;
    float steepness = 0;
    // of the net that is being routed: where in its tree a wire is, the delay to it, what it drives
    std::vector<Branch> tree;
    std::vector<uint32_t> branch_of;
    std::vector<float> arrival;
    std::vector<uint16_t> drives;
    uint32_t search = 0;
    float a_tile = A_TILE;
    std::vector<std::pair<float, uint32_t>> queue;

    Router(const char *database, int grade) : device(database, grade) {
        branch_of.assign(device.wires.size(), NONE);
        arrival.resize(device.wires.size()), drives.resize(device.wires.size());
    }

    void read_all() {
        char name[100];
        auto read_wire = [&]() {
            int known = read_int();         // 1: there must be one of that name, 2: there may be
            if (!known) return NONE;
            int x = read_int(), y = read_int();
            if (std::scanf("%99s", name) != 1) std::exit(2);
            uint32_t wire = device.find(x, y, name);
            if (wire != NONE || known == 2) return wire;
            std::fprintf(stderr, "there is no wire X%d/Y%d/%s\n", x, y, name);
            std::exit(4);
        };
        period = AIM * read_float(), step = read_float();
        nets.resize(read_int()), timing.launch.resize(nets.size());
        for (size_t net = 0; net < nets.size(); ++net) {
            timing.launch[net] = read_float();
            nets[net].source = read_wire();
        }
        sinks.resize(read_int());
        for (Sink &sink : sinks) {
            sink.net = read_int(), sink.swaps = read_int();
            sink.wire = read_wire(), sink.last = NONE;
            if (sink.wire != NONE && device.wires[sink.wire].kind & NOT_OURS) step_back(sink);
            sink.routed = sink.hopeless = false, sink.urgency = 0, sink.limit = NEVER;
            sink.delay = is_ours(sink) ? expected(sink) : 0;
        }
        timing.read_edges();
        timing.sort_nets(sinks);
        sinks_of = Lists(nets.size(), sinks.size(), [this](size_t at) {
            return is_ours(sinks[at]) ? sinks[at].net : -1; });
        for (size_t at = 0; at < nets.size(); ++at)
            if (sinks_of[at].size()) {
                nets[at].tree.push_back({nets[at].source, NONE, 0});
                ++device.wires[nets[at].source].users;
            }
    }

    // A pin among the clocks' own wires has a single wire of the fabric in front of it.
    void step_back(Sink &sink) {
        uint32_t before = device.first_in[sink.wire], pin = sink.wire;
        sink.wire = NONE;
        if (device.first_in[pin + 1] != before + 1) return;
        uint32_t from = device.sources[before];
        if (device.wires[from].kind & NOT_OURS) return;
        sink.wire = from;
        for (sink.last = device.first_out[from]; device.switches[sink.last].to != pin;) ++sink.last;
    }

    bool is_ours(const Sink &sink) const {
        return sink.wire != NONE && nets[sink.net].source != NONE;
    }

    float expected(const Sink &sink) const {
        const Wire &from = device.wires[nets[sink.net].source], &to = device.wires[sink.wire];
        int right = std::abs(from.x - to.x), down = std::abs(from.y - to.y);
        return step * (6 + std::max(right - 5, 0) + std::max(down - 5, 0)
                       + 2 * (std::min(right, 5) + std::min(down, 5)));
    }

    // ---- one net ----------------------------------------------------------------------------

    void open(Net &net) {
        tree.swap(net.tree);
        for (uint32_t at = 0; at < tree.size(); ++at)
            branch_of[tree[at].wire] = at, drives[tree[at].wire] = 0;
        for (const Branch &branch : tree)
            if (branch.by != NONE) ++drives[device.source[branch.by]];
    }

    void set_arrivals() {
        for (const Branch &branch : tree)
            arrival[branch.wire] = branch.by == NONE ? 0 : arrival_by(branch.by, 0);
    }

    float arrival_by(uint32_t by, int others) const {
        uint32_t from = device.source[by];
        uint16_t speed = device.switches[by].speed;
        return arrival[from] + device.delay[speed] + device.more[speed] * (drives[from] + others);
    }

    void close(Net &net) {
        for (const Branch &branch : tree) branch_of[branch.wire] = NONE;
        net.tree.swap(tree);
        tree.clear();
    }

    template <typename Do> void for_each_branch(uint32_t wire, Do what) {
        for (;;) {
            Branch &branch = tree[branch_of[wire]];
            what(branch);
            if (branch.by == NONE) return;
            wire = device.source[branch.by];
        }
    }

    // Branches that no sink is left for go.
    void prune() {
        size_t kept = 0;
        for (const Branch &branch : tree) {
            if (branch.sinks || branch.by == NONE) {
                branch_of[branch.wire] = kept;
                tree[kept++] = branch;
                continue;
            }
            branch_of[branch.wire] = NONE;
            --device.wires[branch.wire].users;
            --drives[device.source[branch.by]];
        }
        tree.resize(kept);
    }

    // Whether the way to the sink is found within so many tiles around net and sink.
    bool route(Sink &sink, int around) {
        std::vector<Wire> &wires = device.wires;
        const Wire &target = wires[sink.wire];
        if (branch_of[sink.wire] == NONE) {
            uint32_t source = tree.front().wire;
            int left = std::min(wires[source].x, target.x) - around;
            int right = std::max(wires[source].x, target.x) + around;
            int top = std::min(wires[source].y, target.y) - around;
            int bottom = std::max(wires[source].y, target.y) + around;
            start(sink);
            if (!find(sink, left, right, top, bottom)) return false;
            graft(sink.wire);
        }
        for_each_branch(sink.wire, [](Branch &branch) { ++branch.sinks; });
        return sink.routed = true;
    }

    float distance(const Wire &from, const Wire &to) const {
        return std::abs(from.x - to.x) + std::abs(from.y - to.y);
    }

    // The whole tree may be left from, but of a large one only what is near, unless time is short.
    void start(const Sink &sink) {
        std::vector<Wire> &wires = device.wires;
        const Wire &target = wires[sink.wire];
        ++search;
        a_tile = sink.urgency < UNHURRIED ? A_TILE : AT_LEAST;
        wires[sink.wire].near = search;
        for (uint32_t in = device.first_in[sink.wire]; in < device.first_in[sink.wire + 1]; ++in) {
            uint32_t before = device.sources[in];
            wires[before].near = search;
            for (uint32_t at = device.first_in[before]; at < device.first_in[before + 1]; ++at)
                wires[device.sources[at]].near = search;
        }
        float reach = NEVER;
        if (tree.size() > MANY && sink.urgency < UNHURRIED) {
            for (const Branch &branch : tree)
                reach = std::min(reach, distance(wires[branch.wire], target));
            reach += STRAY;
        }
        queue.clear();
        for (const Branch &branch : tree) {
            Wire &wire = wires[branch.wire];
            wire.seen = search, wire.from = NONE;
            wire.cost = sink.urgency * arrival[branch.wire];
            if (distance(wire, target) <= reach && !(wire.kind & PIN))
                queue.push_back({wire.cost + a_tile * distance(wire, target), branch.wire});
        }
        std::make_heap(queue.begin(), queue.end(), std::greater<>());
    }

    bool find(const Sink &sink, int left, int right, int top, int bottom) {
        std::vector<Wire> &wires = device.wires;
        const Wire &target = wires[sink.wire];
        while (!queue.empty()) {
            std::pop_heap(queue.begin(), queue.end(), std::greater<>());
            auto [expected, at] = queue.back();
            queue.pop_back();
            if (at == sink.wire) return true;
            float cost = wires[at].cost;
            if (expected > cost + a_tile * distance(wires[at], target) + 1e-5f) continue;
            // what leaves a tree slows what leaves it there already
            int others = wires[at].from == NONE ? drives[at] : 0;
            for (uint32_t out = device.first_out[at]; out < device.first_out[at + 1]; ++out) {
                const Switch &way = device.switches[out];
                Wire &to = wires[way.to];
                if (to.kind && !may_enter(sink, way, to)) continue;
                if (to.x < left || to.x > right || to.y < top || to.y > bottom) continue;
                float delay = device.delay[way.speed];
                float shared = (std::max(delay, LEAST) + to.price) * (1 + steepness * to.users);
                float reached = cost + (1 - sink.urgency) * shared
                    + sink.urgency * (delay + device.more[way.speed] * (1 + others));
                if (to.seen == search && (to.cost <= reached || to.from == NONE)) continue;
                to.cost = reached, to.seen = search, to.from = out;
                queue.push_back({reached + a_tile * distance(to, target), way.to});
                std::push_heap(queue.begin(), queue.end(), std::greater<>());
            }
        }
        return false;
    }

    bool may_enter(const Sink &sink, const Switch &way, const Wire &to) const {
        if (to.kind & NOT_OURS || to.near != search) return false;
        if (!(to.kind & PIN)) return true;
        if (way.to != sink.wire) return false;
        if (!way.swap || sink.swaps == ANY_SWAP) return true;
        // two bits are the input that is meant, two the one that is taken
        return sink.swaps == SWAP_IN_PAIRS && (way.swap >> 3 & 1) == (way.swap >> 1 & 1);
    }

    void graft(uint32_t wire) {
        std::vector<uint32_t> way;
        for (; branch_of[wire] == NONE; wire = device.source[way.back()])
            way.push_back(device.wires[wire].from);
        for (auto by = way.rbegin(); by != way.rend(); ++by) {
            uint32_t to = device.switches[*by].to;
            branch_of[to] = tree.size();
            tree.push_back({to, *by, 0});
            ++device.wires[to].users;
            drives[to] = 0, ++drives[device.source[*by]];
            arrival[to] = arrival_by(*by, 0);
        }
    }

    // ---- all nets ---------------------------------------------------------------------------

    struct Done { int routed, late; };

    bool shares(const Sink &sink) {
        bool shared = false;
        for_each_branch(sink.wire, [&](const Branch &branch) {
            shared |= device.wires[branch.wire].users > 1; });
        return shared;
    }

    void leave(Sink &sink) {
        for_each_branch(sink.wire, [](Branch &branch) { --branch.sinks; });
        sink.routed = false;
    }

    // Routes again what shares a wire, is late, or has no way yet.
    void negotiate(int at, int round, Done &done) {
        Net &net = nets[at];
        std::vector<int> again;
        open(net);
        for (int number : sinks_of[at]) {
            const Sink &sink = sinks[number];
            if (sink.hopeless) continue;
            bool needed = !sink.routed || shares(sink);
            bool late = !needed && round >= LATE_FROM && sink.delay > sink.limit;
            done.late += late;
            if (needed || late) again.push_back(number);
        }
        if (!again.empty()) {
            for (int number : again)
                if (sinks[number].routed) leave(sinks[number]);
            prune();
            set_arrivals();
            std::stable_sort(again.begin(), again.end(), [this](int one, int other) {
                return sinks[one].urgency > sinks[other].urgency; });
            int around = AROUND + WIDER * std::max(round - NARROW_ROUNDS, 0);
            for (int number : again) {
                ++done.routed;
                sinks[number].hopeless = !route(sinks[number], around)
                    && !route(sinks[number], device.width + device.height);
            }
        }
        read_delays(at);
        close(net);
    }

    void read_delays(int at) {
        set_arrivals();
        for (int number : sinks_of[at])
            if (sinks[number].routed) sinks[number].delay = arrival[sinks[number].wire];
    }

    // What shares a wire to the end is left to nextpnr.
    void give_way() {
        for (size_t at = 0; at < nets.size(); ++at) {
            if (nets[at].tree.empty()) continue;
            open(nets[at]);
            for (int number : sinks_of[at])
                if (sinks[number].routed && shares(sinks[number])) leave(sinks[number]);
            prune();
            close(nets[at]);
        }
    }

    Late analyse() {
        Late late = timing.analyse(sinks, period, [](const Sink &sink) { return sink.delay; });
        for (Sink &sink : sinks) {
            float hurry = 1 - (sink.limit - sink.delay) / RELAXED;
            hurry = std::min(std::max(hurry, 0.0f), 1.0f);
            sink.urgency = sink.delay > sink.limit
                ? std::max(MOST_URGENT, std::min(UTMOST, 1 - (1 - sink.urgency) * LESS_PATIENT))
                : std::max(MOST_URGENT * hurry * hurry, CALMING * sink.urgency);
        }
        return late;
    }

    void run() {
        analyse();
        std::vector<Net> best;
        float fastest = NEVER;
        size_t fewest = device.wires.size();
        int better = 0;                 // the last round with fewer shared wires
        for (int round = 0, polished = 0; round < ROUNDS && polished < POLISHING; ++round) {
            Done done{0, 0};
            for (size_t net = 0; net < nets.size(); ++net)
                if (!nets[net].tree.empty()) negotiate(net, round, done);
            size_t shared = 0;
            for (Wire &wire : device.wires)
                if (wire.users > 1) ++shared, wire.price += REMEMBERED * (wire.users - 1);
            Late late = analyse();
            std::fprintf(stderr, "round %d: %d ways, %d of them late before; %zu wires shared; "
                         "slowest %.2f ns, %d ends over %.2f\n", round, done.routed, done.late, shared,
                         late.slowest, late.count, period);
            if (!shared) {
                ++polished;
                if (late.slowest < fastest) fastest = late.slowest, best = nets;
                if (!late.count) break;
            }
            if (shared < fewest) fewest = shared, better = round;
            if (best.empty() && round - better >= STUCK) break;
            if (!round || !shared) steepness = FIRST_PRICE;
            else if (polished || shared > FEW) steepness *= STEEPER;
            else steepness *= HARDLY_STEEPER;
            steepness = std::min(steepness, HIGHEST);
        }
        if (best.empty()) give_way();
        else nets.swap(best);
        tell();
    }

    void tell() {
        int left = 0;
        for (const Sink &sink : sinks) left += is_ours(sink) && !sink.routed;
        for (size_t at = 0; at < nets.size(); ++at)
            if (!nets[at].tree.empty()) open(nets[at]), read_delays(at), close(nets[at]);
        float slowest = analyse().slowest;
        std::fprintf(stderr, "routed: slowest %.2f ns", slowest);
        for (const Edge &edge : timing.edges) {
            const Sink &sink = sinks[edge.wire];
            float arrival = timing.arrival[sink.net] + sink.delay + edge.delay;
            if (edge.to >= 0 || arrival < slowest - 1e-3f || !is_ours(sink)) continue;
            std::fprintf(stderr, ", into X%d/Y%d/%s", device.wires[sink.wire].x,
                         device.wires[sink.wire].y, device.name(sink.wire));
            break;
        }
        std::fprintf(stderr, "; %d ways left to nextpnr\n", left);
    }

    void write(const char *path) const {
        std::FILE *answer = std::fopen(path, "w");
        if (!answer) std::exit(3);
        for (size_t at = 0; at < nets.size(); ++at) {
            const Net &net = nets[at];
            if (net.tree.size() > 1) {
                uint32_t source = net.source;
                std::fprintf(answer, "X%d/Y%d/%s;;1", device.wires[source].x,
                             device.wires[source].y, device.name(source));
                for (const Branch &branch : net.tree)
                    if (branch.by != NONE) device.print(answer, branch.by);
                for (int number : sinks_of[at])
                    if (sinks[number].routed && sinks[number].last != NONE)
                        device.print(answer, sinks[number].last);
            }
            std::fputc('\n', answer);
        }
        if (std::fclose(answer)) std::exit(3);
    }
};

}  // namespace

int main(int count, char **arguments) {
    if (count != 5) return 2;
    Router router(arguments[1], std::atoi(arguments[2]));
    if (!std::freopen(arguments[3], "r", stdin)) return 2;
    router.read_all();
    router.run();
    router.write(arguments[4]);
}
