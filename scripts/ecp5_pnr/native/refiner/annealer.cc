#include "refiner/annealer.h"

#include <cmath>
#include <cstdio>

namespace {

constexpr float FIRST_EXPONENT = 2.0f, LAST_EXPONENT = 3.5f;    // per ns of negative slack
constexpr float LAST_TEMPERATURE = 0.006f;
constexpr float FIRST_RANGE = 5, MIN_RANGE = 1, MAX_RANGE = 30; // tiles
constexpr float ACCEPTANCE = 0.44f;     // share of accepted legal moves that keeps the range
constexpr int MOVES_PER_CLUSTER = 4;    // in a round
constexpr int CRITICAL_MOVES = 4;       // one move in 4 is of a nearly critical cluster
constexpr int MOVES_PER_GROUP = 40;
constexpr int REPORT_PERIOD = 10;       // rounds
// Period of a design that reaches the clock from the start, as a share of its critical path.
constexpr float TARGET = 0.85f;
// In a round of the first half, groups are moved exactly while the critical path is longer than
// FAR_TOO_LONG periods. They begin at arcs with more than the share WORST of its negative slack.
constexpr int EXACT_GROUPS = 8;
constexpr float FAR_TOO_LONG = 1.04f, WORST = 0.7f;

}  // namespace

Annealer::Annealer(Placement &placement, const AnnealingOptions &options)
    : placement(placement), options(options), random(options.seed), congestion(placement),
      cost(placement, congestion, options.wire_weight), mover(placement, cost, random),
      range(FIRST_RANGE) {}

void Annealer::run() {
    for (int round = 0; round <= options.rounds; ++round) {
        float done = static_cast<float>(round) / options.rounds;
        cost.slack_exponent = FIRST_EXPONENT + (LAST_EXPONENT - FIRST_EXPONENT) * done;
        TimingSummary timing = analyse(round);
        CongestionSummary wires = congestion.update();
        cost.evaluate_all();
        if (round % REPORT_PERIOD == 0 || round == options.rounds) report(round, timing, wires);
        if (round == options.rounds) break;
        Critical critical = find_critical(timing);
        make_moves(round, critical, move_worst_groups(round, timing, critical));
    }
}

// A design that reaches the clock from the start gets a shorter period.
TimingSummary Annealer::analyse(int round) {
    TimingSummary timing = placement.analyse_timing();
    if (!round && timing.critical_path * TARGET < placement.period) {
        placement.period = timing.critical_path * TARGET;
        timing = placement.analyse_timing();
    }
    return timing;
}

void Annealer::report(int round, const TimingSummary &timing,
                      const CongestionSummary &wires) const {
    double length = 0;
    for (size_t net = 0; net < placement.driver.size(); ++net)
        length += placement.bounding_box(net).half_perimeter();
    std::fprintf(stderr, "round %d: critical path %.2f ns, %d failing endpoints, %.0f ns of "
                 "negative slack, %.0f tiles of wire, %d congested tiles, at most %.0f wires in "
                 "a tile\n",
                 round, timing.critical_path, timing.failing_endpoints, timing.negative_slack,
                 length, wires.congested_tiles, wires.peak_demand);
}

Annealer::Critical Annealer::find_critical(const TimingSummary &timing) const {
    Critical critical;
    for (const Arc &arc : placement.arcs) {
        if (arc.in_tile || placement.slack(arc) >= NEARLY_CRITICAL) continue;
        for (int cell : {arc.sink, arc.driver}) {
            int cluster = placement.cells[cell].cluster;
            critical.clusters.push_back(cluster);
            if (placement.slack(arc) < WORST * (placement.period - timing.critical_path))
                critical.worst.push_back(cluster);
        }
    }
    return critical;
}

// Returns how many groups have moved.
int Annealer::move_worst_groups(int round, const TimingSummary &timing, const Critical &critical) {
    if (timing.critical_path <= FAR_TOO_LONG * placement.period || critical.worst.empty()
            || 2 * round >= options.rounds)
        return 0;
    int moved = 0;
    double total = mover.evaluate_exact();
    for (int at = 0; at < EXACT_GROUPS; ++at)
        moved += mover.move_group_exact(
            critical.worst[random.below(critical.worst.size())], total);
    return moved;
}

void Annealer::make_moves(int round, const Critical &critical, int exact_groups) {
    const std::vector<int> &nearly_critical = critical.clusters;
    float done = static_cast<float>(round) / options.rounds;
    float temperature = options.first_temperature
        * std::pow(LAST_TEMPERATURE / options.first_temperature, done);
    int groups = 0, results[MOVE_RESULTS] = {};
    int clusters = placement.clusters.size(), moves = MOVES_PER_CLUSTER * clusters;
    for (int move = 0; move < moves; ++move) {
        int cluster = !nearly_critical.empty() && !random.below(CRITICAL_MOVES)
            ? nearly_critical[random.below(nearly_critical.size())] : random.below(clusters);
        ++results[mover.move_cluster(cluster, std::lround(range), temperature)];
        if (move % MOVES_PER_GROUP == 0 && !nearly_critical.empty())
            groups += mover.move_group(
                nearly_critical[random.below(nearly_critical.size())], temperature);
    }
    if (round % REPORT_PERIOD == 0)
        std::fprintf(stderr, "  %d moves, %d legal, %d accepted, range %.1f tiles; %d groups "
                     "moved, %d more after a timing analysis; temperature %.4f\n", moves,
                     results[ACCEPTED] + results[REJECTED], results[ACCEPTED], range, groups,
                     exact_groups, temperature);
    adapt_range(results);
}

void Annealer::adapt_range(const int *results) {
    range *= 1 - ACCEPTANCE
        + results[ACCEPTED] / (results[ACCEPTED] + results[REJECTED] + 1.0f);
    range = std::min(std::max(range, MIN_RANGE), MAX_RANGE);
}
