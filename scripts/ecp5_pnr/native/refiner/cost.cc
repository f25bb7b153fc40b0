#include "refiner/cost.h"

#include <cmath>

namespace {

constexpr float LINEAR_FROM = 6;        // negative slack times slack_exponent
constexpr float NEGLIGIBLE = -12;
constexpr int FULL_INPUTS = 20;         // fabric inputs of a tile that cost nothing
constexpr float INPUT_COST = 0.002f;    // factor of the square of those beyond

}  // namespace

Cost::Cost(const Placement &placement, const Congestion &congestion, float wire_weight)
    : placement(placement), congestion(congestion), wire_weight(wire_weight), slack_exponent(0),
      arc_cost(placement.arcs.size()), net_cost(placement.driver.size()),
      arc_mark(placement.arcs.size()), net_mark(placement.driver.size()), mark(0) {}

float Cost::arc_cost_of(const Arc &arc) const {
    float exponent = -placement.slack(arc) * slack_exponent;
    return exponent < NEGLIGIBLE ? 0
        : exponent < LINEAR_FROM ? std::exp(exponent)
                                 : std::exp(LINEAR_FROM) * (1 + exponent - LINEAR_FROM);
}

float Cost::net_cost_of(int net) const {
    if (placement.arcs_of_net[net].size() >= LARGE_NET) return 0;
    BoundingBox box = placement.bounding_box(net);
    int length = box.half_perimeter();
    return length ? wire_weight * length * static_cast<float>(congestion.mean_cost(box)) : 0;
}

float Cost::fabric_input_cost(const Region &region) const {
    float result = 0;
    int count = region.form == SITE ? 0 : region.tile_count;
    for (int tile = region.tile; tile < region.tile + count; ++tile) {
        float excess = std::max(0, placement.tiles[tile].fabric_inputs - FULL_INPUTS);
        result += INPUT_COST * excess * excess;
    }
    return result;
}

void Cost::evaluate_all() {
    for (size_t arc = 0; arc < arc_cost.size(); ++arc)
        arc_cost[arc] = arc_cost_of(placement.arcs[arc]);
    for (size_t net = 0; net < net_cost.size(); ++net) net_cost[net] = net_cost_of(net);
}

double Cost::total() const {
    double sum = 0;
    for (float cost : arc_cost) sum += cost;
    for (float cost : net_cost) sum += cost;
    return sum;
}

float Cost::before(const std::vector<int> &cells) {
    ++mark;
    marked_arcs.clear(), marked_nets.clear();
    double result = 0;
    auto add_arc = [&](int arc) {
        if (arc_mark[arc] == mark) return;
        arc_mark[arc] = mark;
        marked_arcs.push_back(arc);
        result += arc_cost[arc];
    };
    auto add_net = [&](int net) {
        if (net_mark[net] == mark) return;
        net_mark[net] = mark;
        marked_nets.push_back(net);
        result += net_cost[net];
    };
    for (int cell : cells) {
        for (int arc : placement.inputs_of_cell[cell])
            add_arc(arc), add_net(placement.arcs[arc].net);
        for (int net : placement.nets_of_cell[cell]) {
            add_net(net);
            for (int arc : placement.arcs_of_net[net]) add_arc(arc);
        }
    }
    return result;
}

float Cost::after() {
    double result = 0;
    new_arc_cost.resize(marked_arcs.size()), new_net_cost.resize(marked_nets.size());
    for (size_t at = 0; at < marked_arcs.size(); ++at)
        result += new_arc_cost[at] = arc_cost_of(placement.arcs[marked_arcs[at]]);
    for (size_t at = 0; at < marked_nets.size(); ++at)
        result += new_net_cost[at] = net_cost_of(marked_nets[at]);
    return result;
}

void Cost::accept() {
    for (size_t at = 0; at < marked_arcs.size(); ++at)
        arc_cost[marked_arcs[at]] = new_arc_cost[at];
    for (size_t at = 0; at < marked_nets.size(); ++at)
        net_cost[marked_nets[at]] = new_net_cost[at];
}
