// Simulated annealing of a placement.

#ifndef ECP5_PNR_ANNEALER_H
#define ECP5_PNR_ANNEALER_H

#include <vector>

#include "common/random.h"
#include "refiner/congestion.h"
#include "refiner/cost.h"
#include "refiner/moves.h"
#include "refiner/placement.h"

struct AnnealingOptions {
    int rounds;
    float wire_weight;                  // cost of a tile of wire, where an arc of slack 0 costs 1
    float first_temperature;
    int seed;
};

// The temperature falls by the same factor each round; the range of moves follows from how many of
// them are accepted. Source: V. Betz, J. Rose: VPR: A New Packing, Placement and Routing Tool for
// FPGA Research, 1997.
class Annealer {
public:
    Annealer(Placement &placement, const AnnealingOptions &options);

    // Writes a line to standard error before some of the rounds, and at the end.
    void run();

private:
    struct Critical { std::vector<int> clusters, worst; };      // with repetitions

    Placement &placement;
    AnnealingOptions options;
    Random random;
    Congestion congestion;
    Cost cost;
    Mover mover;
    float range;                        // of a move, in tiles

    TimingSummary analyse(int round);
    void report(int round, const TimingSummary &timing, const CongestionSummary &wires) const;
    Critical find_critical(const TimingSummary &timing) const;
    int move_worst_groups(int round, const TimingSummary &timing, const Critical &critical);
    void make_moves(int round, const Critical &critical, int exact_groups);
    void adapt_range(const int *results);
};

#endif
