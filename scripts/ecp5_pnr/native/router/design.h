// The nets that are routed, and their arcs.

#ifndef ECP5_PNR_DESIGN_H
#define ECP5_PNR_DESIGN_H

#include <cstdint>
#include <vector>

#include "common/index_lists.h"
#include "common/timing.h"
#include "router/routing_graph.h"

// Permutations of LUT inputs that are legal; router.py has the same numbers.
enum LutPermutation { NO_PERMUTATION, ANY_PERMUTATION, PERMUTATION_IN_PAIRS };

// From a net's source to the wire of one of its sinks.
struct Arc {
    int net;
    uint32_t sink;                      // wire
    uint32_t last_pip;                  // from `sink` to a pin in the clock network, or NONE
    int permutation;                    // of LutPermutation
    bool routed, unroutable;
    float delay, max_delay;             // ns; max_delay leaves a slack of 0
    float criticality;                  // 0 to 1
};

// A wire of a net's route, the pip that drives it (NONE at the source), and how many arcs use it.
struct TreeNode { uint32_t wire, pip; int arcs; };
// Each node of the tree comes after the one that drives it. A net that is not routed here has none.
struct Net { uint32_t source; std::vector<TreeNode> tree; };

struct Design {
    std::vector<Net> nets;
    std::vector<Arc> arcs;
    IndexLists arcs_of_net;             // those that are routed here
    Timing timing;
    float period;                       // ns
    float tile_delay;                   // ns, of nextpnr's estimate

    bool is_routable(const Arc &arc) const {
        return arc.sink != NONE && nets[arc.net].source != NONE;
    }
};

#endif
