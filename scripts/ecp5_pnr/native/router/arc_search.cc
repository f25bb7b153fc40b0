#include "router/arc_search.h"

#include <algorithm>
#include <functional>

namespace {

// ns for a tile of distance: the expected value, which finds a path soon, and a lower bound, which
// finds the fastest path of a critical arc
constexpr float EXPECTED_TILE_DELAY = 0.15f, LEAST_TILE_DELAY = 0.09f;
constexpr float CRITICAL = 0.5f;        // criticality; from here on the lower bound is used
constexpr float LEAST_WIRE_COST = 0.04f;        // ns, of a wire without delay
constexpr size_t LARGE_TREE = 200;      // nodes
constexpr int LARGE_TREE_MARGIN = 12;   // tiles

}  // namespace

bool ArcSearch::find_path(const Arc &arc, int margin) {
    const Wire &source = graph.wires[tree.nodes.front().wire], &sink = graph.wires[arc.sink];
    Box box{std::min(source.x, sink.x) - margin, std::max(source.x, sink.x) + margin,
            std::min(source.y, sink.y) - margin, std::max(source.y, sink.y) + margin};
    start(arc);
    return expand(arc, box);
}

// Marks the wires that are at most two pips in front of the sink.
void ArcSearch::mark_target(uint32_t sink) {
    graph.wires[sink].target_search = search;
    for (uint32_t in = graph.first_source(sink); in < graph.last_source(sink); ++in) {
        uint32_t before = graph.sources[in];
        graph.wires[before].target_search = search;
        for (uint32_t at = graph.first_source(before); at < graph.last_source(before); ++at)
            graph.wires[graph.sources[at]].target_search = search;
    }
}

// Begins at all nodes of the tree. If the tree is large and the arc not critical, begins only at
// the nodes whose distance to the sink is close to the smallest one.
void ArcSearch::start(const Arc &arc) {
    const Wire &sink = graph.wires[arc.sink];
    ++search;
    tile_cost = arc.criticality < CRITICAL ? EXPECTED_TILE_DELAY : LEAST_TILE_DELAY;
    mark_target(arc.sink);
    float limit = NEVER;
    if (tree.nodes.size() > LARGE_TREE && arc.criticality < CRITICAL) {
        for (const TreeNode &node : tree.nodes)
            limit = std::min(limit, distance(graph.wires[node.wire], sink));
        limit += LARGE_TREE_MARGIN;
    }
    queue.clear();
    for (const TreeNode &node : tree.nodes) {
        Wire &wire = graph.wires[node.wire];
        wire.search = search, wire.from_pip = NONE;
        wire.cost = arc.criticality * tree.arrival(node.wire);
        if (distance(wire, sink) <= limit && !(wire.kind & SITE_PIN))
            queue.push_back({wire.cost + tile_cost * distance(wire, sink), node.wire});
    }
    std::make_heap(queue.begin(), queue.end(), std::greater<>());
}

// The cost of a wire is a mean, weighted by criticality, of its delay for this arc and of its
// congestion cost, which grows with the number of nets that use the wire.
bool ArcSearch::expand(const Arc &arc, const Box &box) {
    // copies, since the compiler has to assume that a write to a wire changes the members
    Wire *const wires = graph.wires.data();
    const Pip *const pips = graph.pips.data();
    const ChipDatabase::PipDelay *const delays = graph.delays.data();
    const Wire &sink = wires[arc.sink];
    const float criticality = arc.criticality, sharing = present_factor, per_tile = tile_cost;
    const uint32_t number = search, target = arc.sink;
    while (!queue.empty()) {
        std::pop_heap(queue.begin(), queue.end(), std::greater<>());
        auto [estimate, at] = queue.back();
        queue.pop_back();
        if (at == target) return true;
        const float cost = wires[at].cost;
        if (estimate > cost + per_tile * distance(wires[at], sink) + 1e-5f) continue;
        // at a node of the tree, its present branches add to the fan-out
        const int fanout = 1 + (wires[at].from_pip == NONE ? tree.fanout(at) : 0);
        const uint32_t last = graph.last_pip(at);
        for (uint32_t index = graph.first_pip(at); index < last; ++index) {
            const Pip &pip = pips[index];
            Wire &to = wires[pip.to];
            if (to.kind && (to.kind & CLOCK_NETWORK || to.target_search != number
                            || (to.kind & SITE_PIN && !may_enter_pin(arc, pip))))
                continue;
            if (to.x < box.left || to.x > box.right || to.y < box.top || to.y > box.bottom)
                continue;
            const ChipDatabase::PipDelay &delay = delays[pip.delay_class];
            float congestion = (std::max(delay.base, LEAST_WIRE_COST) + to.history_cost)
                * (1 + sharing * to.occupancy);
            float reached = cost + (1 - criticality) * congestion
                + criticality * (delay.base + delay.per_fanout * fanout);
            if (to.search == number && (to.cost <= reached || to.from_pip == NONE)) continue;
            to.cost = reached, to.search = number, to.from_pip = index;
            queue.push_back({reached + per_tile * distance(to, sink), pip.to});
            std::push_heap(queue.begin(), queue.end(), std::greater<>());
        }
    }
    return false;
}

bool ArcSearch::may_enter_pin(const Arc &arc, const Pip &pip) {
    if (pip.to != arc.sink) return false;
    if (!pip.lut_permutation || arc.permutation == ANY_PERMUTATION) return true;
    // A and B are a pair, C and D the other: the higher bit of both inputs is the same
    return arc.permutation == PERMUTATION_IN_PAIRS
        && (pip.lut_permutation >> 3 & 1) == (pip.lut_permutation >> 1 & 1);
}
