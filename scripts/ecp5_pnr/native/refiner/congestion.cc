#include "refiner/congestion.h"

namespace {

constexpr float FREE_WIRES = 50;        // in a tile; needing more of them raises the cost
constexpr float COST_GROWTH = 15;       // rise of the cost where twice as many are needed
constexpr float UPDATE_SHARE = 0.3f;    // weight of a new cost in an update
constexpr float WIRES_OF_PIN = 0.4f;    // that each pin of a net needs in its tile
// Each sink beyond these makes a net longer than the half perimeter of its box, by this share.
constexpr int STRAIGHT_SINKS = 2;
constexpr float EXTRA_LENGTH = 0.03f;

}  // namespace

void Grid::accumulate() {
    for (int y = 0; y < height; ++y)
        for (int x = 1; x < width; ++x) at(x, y) += at(x - 1, y);
    for (int y = 1; y < height; ++y)
        for (int x = 0; x < width; ++x) at(x, y) += at(x, y - 1);
}

Congestion::Congestion(const Placement &placement)
    : placement(placement),
      costs(placement.logic_tile_at.size(), placement.logic_tile_at[0].size(), 1),
      sums(costs.width + 1, costs.height + 1) {}

// The wires of a net are spread evenly over its bounding box, and some are added at its pins. The
// grid has a column and a row more than the device.
Grid Congestion::estimate_demand() const {
    Grid demand(costs.width + 1, costs.height + 1);
    size_t nets = placement.driver.size();
    for (size_t net = 0; net < nets; ++net) {
        BoundingBox box = placement.bounding_box(net);
        int sinks = placement.arcs_of_net[net].size();
        double density = box.half_perimeter()
            * (1 + EXTRA_LENGTH * std::max(0, sinks - STRAIGHT_SINKS)) / box.area();
        demand.at(box.left, box.top) += density;
        demand.at(box.right + 1, box.top) -= density;
        demand.at(box.left, box.bottom + 1) -= density;
        demand.at(box.right + 1, box.bottom + 1) += density;
    }
    demand.accumulate();
    auto add_pin = [&](int cell) {
        demand.at(placement.location[cell].x, placement.location[cell].y) += WIRES_OF_PIN;
    };
    for (size_t net = 0; net < nets; ++net) {
        add_pin(placement.driver[net]);
        for (int arc : placement.arcs_of_net[net]) add_pin(placement.arcs[arc].sink);
    }
    return demand;
}

CongestionSummary Congestion::update() {
    const Grid demand = estimate_demand();
    CongestionSummary summary{0, 0};
    for (int y = 0; y < costs.height; ++y)
        for (int x = 0; x < costs.width; ++x) {
            // the router may use the wires of the tiles around this one as well
            double sum = 0;
            int count = 0;
            for (int v = std::max(y - 1, 0); v <= std::min(y + 1, costs.height - 1); ++v)
                for (int u = std::max(x - 1, 0); u <= std::min(x + 1, costs.width - 1); ++u)
                    sum += demand.at(u, v), ++count;
            double excess = std::max(0.0, sum / count / FREE_WIRES - 1);
            summary.congested_tiles += excess > 0;
            summary.peak_demand = std::max(summary.peak_demand, sum / count);
            costs.at(x, y) += UPDATE_SHARE * (1 + COST_GROWTH * excess - costs.at(x, y));
        }
    normalise();
    return summary;
}

void Congestion::normalise() {
    double mean = 0;
    for (double cost : costs.values) mean += cost / costs.values.size();
    for (int y = 0; y < costs.height; ++y)
        for (int x = 0; x < costs.width; ++x) sums.at(x + 1, y + 1) = costs.at(x, y) / mean;
    for (int y = 0; y <= costs.height; ++y) sums.at(0, y) = 0;
    for (int x = 0; x <= costs.width; ++x) sums.at(x, 0) = 0;
    sums.accumulate();
}
