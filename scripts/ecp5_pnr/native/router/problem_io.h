// Problem and answer files of the router; router.py documents both.

#ifndef ECP5_PNR_ROUTER_PROBLEM_IO_H
#define ECP5_PNR_ROUTER_PROBLEM_IO_H

#include "router/design.h"
#include "router/routing_graph.h"

// End the program with an exit status where a file cannot be read or written, or names a wire that
// the device does not have.
Design read_design(const char *path, RoutingGraph &graph);
void write_routes(const Design &design, const RoutingGraph &graph, const char *path);

#endif
