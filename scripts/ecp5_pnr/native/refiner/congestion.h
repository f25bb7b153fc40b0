// Estimate of how many wires the nets need in each tile, and what a tile of wire costs there.

#ifndef ECP5_PNR_CONGESTION_H
#define ECP5_PNR_CONGESTION_H

#include <vector>

#include "refiner/placement.h"

// A number for each tile of the device.
class Grid {
public:
    int width, height;
    std::vector<double> values;         // row by row

    Grid(int width, int height, double value = 0)
        : width(width), height(height), values(width * height, value) {}
    double &at(int x, int y) { return values[y * width + x]; }
    double at(int x, int y) const { return values[y * width + x]; }
    // Replaces each number by the sum of all those above and to the left, its own included.
    void accumulate();
};

struct CongestionSummary {
    int congested_tiles;                // that need more wires than cost nothing extra
    double peak_demand;                 // wires in one tile
};

class Congestion {
public:
    explicit Congestion(const Placement &placement);

    // Updates the costs for the present placement.
    CongestionSummary update();

    // Mean cost of a tile of wire in a box. The mean over the device is 1.
    double mean_cost(const BoundingBox &box) const {
        return (sums.at(box.right + 1, box.bottom + 1) - sums.at(box.left, box.bottom + 1)
                - sums.at(box.right + 1, box.top) + sums.at(box.left, box.top)) / box.area();
    }

private:
    const Placement &placement;
    Grid costs;
    Grid sums;                          // accumulated costs, after a row and a column of zeros

    Grid estimate_demand() const;
    void normalise();
};

#endif
