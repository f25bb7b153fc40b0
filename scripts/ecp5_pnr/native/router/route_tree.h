// Route of the net that is being changed.

#ifndef ECP5_PNR_ROUTE_TREE_H
#define ECP5_PNR_ROUTE_TREE_H

#include <cstdint>
#include <vector>

#include "router/design.h"
#include "router/routing_graph.h"

// One net at a time is open: its nodes are found by their wires then, each with the delay from the
// source. The occupancy of the graph's wires follows the changes.
class RouteTree {
public:
    std::vector<TreeNode> nodes;

    explicit RouteTree(RoutingGraph &graph)
        : graph(graph), node_of(graph.wires.size(), NONE), arrivals(graph.wires.size()),
          fanouts(graph.wires.size()) {}

    void open(Net &net);
    void close(Net &net);

    bool contains(uint32_t wire) const { return node_of[wire] != NONE; }
    float arrival(uint32_t wire) const { return arrivals[wire]; }      // ns from the source
    int fanout(uint32_t wire) const { return fanouts[wire]; }

    // Computes the arrival at each node.
    void set_arrivals();
    // Adds the path that a search has left in the graph, from the tree to a wire.
    void add_path(uint32_t wire);
    // Removes nodes that no arc uses.
    void prune();

    bool is_shared(uint32_t sink);      // whether a wire on the path belongs to other nets, too
    void add_arc(uint32_t sink) {
        for_each_node(sink, [](TreeNode &node) { ++node.arcs; });
    }
    void remove_arc(uint32_t sink) {
        for_each_node(sink, [](TreeNode &node) { --node.arcs; });
    }

private:
    RoutingGraph &graph;
    std::vector<uint32_t> node_of;      // of a wire: index in `nodes`, or NONE
    std::vector<float> arrivals;        // of a wire
    std::vector<uint16_t> fanouts;      // of a wire

    float arrival_by(uint32_t pip) const {
        uint32_t from = graph.pip_source[pip];
        const ChipDatabase::PipDelay &delay = graph.delays[graph.pips[pip].delay_class];
        return arrivals[from] + delay.base + delay.per_fanout * fanouts[from];
    }

    // Visits the nodes from a sink to the source.
    template <typename Visit> void for_each_node(uint32_t wire, Visit visit) {
        for (;;) {
            TreeNode &node = nodes[node_of[wire]];
            visit(node);
            if (node.pip == NONE) return;
            wire = graph.pip_source[node.pip];
        }
    }
};

#endif
