// Negotiated congestion: nets that share a wire are routed again while shared wires cost more.

#ifndef ECP5_PNR_NEGOTIATION_H
#define ECP5_PNR_NEGOTIATION_H

#include <cstddef>
#include <vector>

#include "router/arc_search.h"
#include "router/design.h"
#include "router/route_tree.h"
#include "router/routing_graph.h"

// All nets are routed as if they were alone, then those that share a wire again and again. Critical
// arcs pay for delay, others for wires. Source: L. McMurchie, C. Ebeling: PathFinder: A
// Negotiation-Based Performance-Driven Router for FPGAs, 1995.
class Negotiation {
public:
    Negotiation(RoutingGraph &graph, Design &design)
        : graph(graph), design(design), tree(graph), search(graph, tree) {}

    // Routes the design; writes a line to standard error after each round. An arc that has no path,
    // or none without a shared wire in the end, stays unrouted.
    void run();

private:
    struct Counts { int routed, failing; };

    RoutingGraph &graph;
    Design &design;
    RouteTree tree;
    ArcSearch search;

    Counts route_nets(int round);
    void route_net(int net, int round, Counts &counts);
    std::vector<int> arcs_to_route(int net, int round, Counts &counts);
    bool route_arc(Arc &arc, int margin);
    void rip_up(Arc &arc);
    void read_delays(int net);
    size_t update_history();
    TimingSummary analyse_timing();
    void raise_present_factor(int round, size_t shared, bool was_legal);
    void remove_shared_arcs();
    void report();
};

#endif
