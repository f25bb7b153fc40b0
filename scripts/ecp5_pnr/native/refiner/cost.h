// Cost of a placement: negative slack, wirelength in congested tiles, and inputs of full tiles.

#ifndef ECP5_PNR_COST_H
#define ECP5_PNR_COST_H

#include <vector>

#include "refiner/congestion.h"
#include "refiner/placement.h"
#include "refiner/region.h"

// The costs of all arcs and nets are kept. A move evaluates those of the cells that moved:
// before(cells), after(), and accept() if the move stays.
class Cost {
public:
    const Placement &placement;
    const Congestion &congestion;
    float wire_weight;                  // cost of a tile of wire, where an arc of slack 0 costs 1
    float slack_exponent;               // per ns

    Cost(const Placement &placement, const Congestion &congestion, float wire_weight);

    // Evaluates everything anew; total() is the sum.
    void evaluate_all();
    double total() const;

    // Kept cost of all arcs and nets of the cells.
    float before(const std::vector<int> &cells);
    // Cost of the same arcs and nets at the present locations.
    float after();
    void accept();

    // Exponential in the negative slack, and linear where that is large.
    float arc_cost_of(const Arc &arc) const;
    float fabric_input_cost(const Region &region) const;

private:
    std::vector<float> arc_cost, net_cost, new_arc_cost, new_net_cost;
    std::vector<int> arc_mark, net_mark, marked_arcs, marked_nets;
    int mark;

    float net_cost_of(int net) const;
};

#endif
