// A* search of a path for one arc.

#ifndef ECP5_PNR_ARC_SEARCH_H
#define ECP5_PNR_ARC_SEARCH_H

#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "router/design.h"
#include "router/route_tree.h"
#include "router/routing_graph.h"

class ArcSearch {
public:
    float present_factor = 0;           // growth of a wire's cost for each net that uses it

    ArcSearch(RoutingGraph &graph, const RouteTree &tree) : graph(graph), tree(tree) {}

    // Finds a path from the open tree to the sink of an arc, at most `margin` tiles outside of the
    // bounding box of source and sink. The path is then in Wire::from_pip.
    bool find_path(const Arc &arc, int margin);

private:
    struct Box { int left, right, top, bottom; };

    RoutingGraph &graph;
    const RouteTree &tree;
    uint32_t search = 0;                // number of the present one
    float tile_cost = 0;                // estimate for the distance that is left
    std::vector<std::pair<float, uint32_t>> queue;      // heap of (estimated cost, wire)

    static float distance(const Wire &from, const Wire &to) {
        return std::abs(from.x - to.x) + std::abs(from.y - to.y);
    }
    void mark_target(uint32_t sink);
    void start(const Arc &arc);
    bool expand(const Arc &arc, const Box &box);
    static bool may_enter_pin(const Arc &arc, const Pip &pip);
};

#endif
