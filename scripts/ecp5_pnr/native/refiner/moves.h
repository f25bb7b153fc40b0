// Moves of simulated annealing: of one cluster, and of a group of clusters.

#ifndef ECP5_PNR_MOVES_H
#define ECP5_PNR_MOVES_H

#include <vector>

#include "common/random.h"
#include "refiner/cost.h"
#include "refiner/placement.h"
#include "refiner/region.h"

constexpr float NEARLY_CRITICAL = 0.5f; // ns of slack

enum MoveResult { ILLEGAL, REJECTED, ACCEPTED, MOVE_RESULTS };

// Changes a placement and its cost.
class Mover {
public:
    Mover(Placement &placement, Cost &cost, Random &random)
        : placement(placement), cost(cost), random(random),
          group_mark(placement.clusters.size()), mark(0) {}

    // Swaps a cluster with the contents of a region at most `range` tiles away, in x and in y.
    MoveResult move_cluster(int cluster, int range, float temperature);

    // Moves clusters that are close together towards their common neighbours: a queue and the logic
    // around it cannot move one by one. The costs are those with the present slacks.
    bool move_group(int first, float temperature);

    // Does the same with the costs after a new timing analysis; `total` is the sum of all costs. If
    // a failing path leaves the group and returns to it, the arcs inside the group have negative
    // slack, too, and with the present slacks a move that shortens the path looks expensive.
    bool move_group_exact(int first, double &total);

    // Analyses timing, evaluates all costs and returns their sum.
    double evaluate_exact();

private:
    struct Swap { Region from, to; };

    Placement &placement;
    Cost &cost;
    Random &random;
    std::vector<int> group_mark;        // of a cluster: the last group that it was in
    int mark;
    std::vector<int> cells, scratch;    // of the regions that are swapped
    std::vector<Swap> swaps;            // of the group that moves

    bool accepts(float increase, float temperature);
    int random_logic_tile(int x, int y, int range);
    bool swap_if_legal(const Region &from, const Region &to, float &increase);
    template <typename IsInside>
    bool find_centre(const std::vector<int> &clusters, IsInside is_inside, float &x, float &y);
    std::vector<int> collect_group(int first);
    bool find_shift(const std::vector<int> &group, int &dx, int &dy);
    bool shift_group(int first, float &increase);
    bool shift_cluster(int cluster, int dx, int dy, float &increase);
    void undo_group();
};

// Sets x, y to the mean location of the cells that the clusters are connected to, weighted by the
// costs of the arcs; false if there are none. Clusters for which is_inside is true do not count.
template <typename IsInside>
bool Mover::find_centre(const std::vector<int> &clusters, IsInside is_inside, float &x, float &y) {
    double sum = 0, sum_x = 0, sum_y = 0;
    auto add = [&](const Arc &arc, int cell) {
        if (is_inside(placement.cells[cell].cluster)) return;
        float weight = cost.arc_cost_of(arc) + 1e-2f;
        const Tile &tile = placement.tiles[placement.cells[cell].tile];
        sum += weight;
        sum_x += weight * tile.x;
        sum_y += weight * tile.y;
    };
    for (int cluster : clusters)
        for (int cell : placement.clusters[cluster].cells) {
            for (int at : placement.inputs_of_cell[cell]) {
                const Arc &arc = placement.arcs[at];
                add(arc, arc.driver);
            }
            for (int net : placement.nets_of_cell[cell]) {
                if (placement.arcs_of_net[net].size() >= LARGE_NET) continue;
                for (int at : placement.arcs_of_net[net])
                    add(placement.arcs[at], placement.arcs[at].sink);
            }
        }
    if (sum == 0) return false;
    x = sum_x / sum, y = sum_y / sum;
    return true;
}

#endif
