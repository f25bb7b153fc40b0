#include "router/negotiation.h"

#include <algorithm>
#include <cstdio>

namespace {

constexpr float FIRST_FACTOR = 0.3f, MAX_FACTOR = 1e4f;         // of the present congestion
constexpr float GROWTH = 1.15f, SLOW_GROWTH = 1.05f;    // per round; with few shared wires
constexpr size_t FEW_SHARED = 300;      // wires
constexpr float HISTORY_COST = 0.09f;   // ns per round, for each net beyond the first
constexpr int MARGIN = 8, MARGIN_GROWTH = 2;    // tiles around source and sink; per round
constexpr int NARROW_ROUNDS = 8;        // before the margin grows
constexpr float BASE_CRITICALITY = 0.8f;        // of an arc without slack
constexpr float NO_CRITICALITY_SLACK = 4;       // ns
constexpr float DECAY = 0.8f;           // the criticality falls at most by this factor per round
constexpr float FAILING_SHRINK = 0.8f;  // of 1 - criticality, per round with negative slack
constexpr float MAX_CRITICALITY = 0.97f;
constexpr int FIRST_TIMING_ROUND = 3;   // in which arcs with negative slack are routed again
constexpr int MAX_ROUNDS = 250, LEGAL_ROUNDS = 10;      // limits of all, and without shared wires
constexpr int STUCK_ROUNDS = 40;        // limit of rounds without a new minimum of shared wires

}  // namespace

void Negotiation::run() {
    analyse_timing();
    std::vector<Net> best;
    float best_path = NEVER;
    size_t fewest_shared = graph.wires.size();
    int improved = 0;                   // last round with a new minimum of shared wires
    for (int round = 0, legal = 0; round < MAX_ROUNDS && legal < LEGAL_ROUNDS; ++round) {
        Counts counts = route_nets(round);
        size_t shared = update_history();
        TimingSummary timing = analyse_timing();
        std::fprintf(stderr, "round %d: %d arcs routed, %d of them for negative slack; %zu shared "
                     "wires; critical path %.2f ns, %d endpoints over %.2f ns\n", round,
                     counts.routed, counts.failing, shared, timing.critical_path,
                     timing.failing_endpoints, design.period);
        if (!shared) {
            ++legal;
            if (timing.critical_path < best_path)
                best_path = timing.critical_path, best = design.nets;
            if (!timing.failing_endpoints) break;
        }
        if (shared < fewest_shared) fewest_shared = shared, improved = round;
        if (best.empty() && round - improved >= STUCK_ROUNDS) break;
        raise_present_factor(round, shared, legal);
    }
    if (best.empty()) remove_shared_arcs();
    else design.nets.swap(best);
    report();
}

Negotiation::Counts Negotiation::route_nets(int round) {
    Counts counts{0, 0};
    for (size_t net = 0; net < design.nets.size(); ++net)
        if (!design.nets[net].tree.empty()) route_net(net, round, counts);
    return counts;
}

// Counts the shared wires and raises their costs for all later rounds.
size_t Negotiation::update_history() {
    size_t shared = 0;
    for (Wire &wire : graph.wires)
        if (wire.occupancy > 1)
            ++shared, wire.history_cost += HISTORY_COST * (wire.occupancy - 1);
    return shared;
}

void Negotiation::raise_present_factor(int round, size_t shared, bool was_legal) {
    float &factor = search.present_factor;
    if (!round || !shared) factor = FIRST_FACTOR;
    else if (was_legal || shared > FEW_SHARED) factor *= GROWTH;
    else factor *= SLOW_GROWTH;
    factor = std::min(factor, MAX_FACTOR);
}

// Returns the arcs that have no path, share a wire, or have negative slack.
std::vector<int> Negotiation::arcs_to_route(int net, int round, Counts &counts) {
    std::vector<int> numbers;
    for (int number : design.arcs_of_net[net]) {
        const Arc &arc = design.arcs[number];
        if (arc.unroutable) continue;
        bool illegal = !arc.routed || tree.is_shared(arc.sink);
        bool failing = !illegal && round >= FIRST_TIMING_ROUND && arc.delay > arc.max_delay;
        counts.failing += failing;
        if (illegal || failing) numbers.push_back(number);
    }
    return numbers;
}

void Negotiation::route_net(int net, int round, Counts &counts) {
    std::vector<Arc> &arcs = design.arcs;
    tree.open(design.nets[net]);
    std::vector<int> numbers = arcs_to_route(net, round, counts);
    if (!numbers.empty()) {
        for (int number : numbers)
            if (arcs[number].routed) rip_up(arcs[number]);
        tree.prune();
        tree.set_arrivals();
        std::stable_sort(numbers.begin(), numbers.end(), [&](int one, int other) {
            return arcs[one].criticality > arcs[other].criticality; });
        int margin = MARGIN + MARGIN_GROWTH * std::max(round - NARROW_ROUNDS, 0);
        for (int number : numbers) {
            ++counts.routed;
            arcs[number].unroutable = !route_arc(arcs[number], margin)
                && !route_arc(arcs[number], graph.width + graph.height);
        }
    }
    read_delays(net);
    tree.close(design.nets[net]);
}

bool Negotiation::route_arc(Arc &arc, int margin) {
    if (!tree.contains(arc.sink)) {
        if (!search.find_path(arc, margin)) return false;
        tree.add_path(arc.sink);
    }
    tree.add_arc(arc.sink);
    return arc.routed = true;
}

void Negotiation::rip_up(Arc &arc) {
    tree.remove_arc(arc.sink);
    arc.routed = false;
}

void Negotiation::read_delays(int net) {
    tree.set_arrivals();
    for (int number : design.arcs_of_net[net]) {
        Arc &arc = design.arcs[number];
        if (arc.routed) arc.delay = tree.arrival(arc.sink);
    }
}

TimingSummary Negotiation::analyse_timing() {
    TimingSummary summary = design.timing.analyse(
        design.arcs, design.period, [](const Arc &arc) { return arc.delay; });
    for (Arc &arc : design.arcs) {
        float share = 1 - (arc.max_delay - arc.delay) / NO_CRITICALITY_SLACK;
        share = std::min(std::max(share, 0.0f), 1.0f);
        arc.criticality = arc.delay > arc.max_delay
            ? std::max(BASE_CRITICALITY,
                       std::min(MAX_CRITICALITY, 1 - (1 - arc.criticality) * FAILING_SHRINK))
            : std::max(BASE_CRITICALITY * share * share, DECAY * arc.criticality);
    }
    return summary;
}

// Removes arcs that share a wire: nextpnr routes them.
void Negotiation::remove_shared_arcs() {
    for (size_t net = 0; net < design.nets.size(); ++net) {
        if (design.nets[net].tree.empty()) continue;
        tree.open(design.nets[net]);
        for (int number : design.arcs_of_net[net]) {
            Arc &arc = design.arcs[number];
            if (arc.routed && tree.is_shared(arc.sink)) rip_up(arc);
        }
        tree.prune();
        tree.close(design.nets[net]);
    }
}

// Writes the critical path, its last wire, and how many arcs are unrouted.
void Negotiation::report() {
    int unrouted = 0;
    for (const Arc &arc : design.arcs) unrouted += design.is_routable(arc) && !arc.routed;
    for (size_t net = 0; net < design.nets.size(); ++net)
        if (!design.nets[net].tree.empty()) {
            tree.open(design.nets[net]);
            read_delays(net);
            tree.close(design.nets[net]);
        }
    float critical_path = analyse_timing().critical_path;
    std::fprintf(stderr, "routed: critical path %.2f ns", critical_path);
    for (const TimingEdge &edge : design.timing.edges) {
        const Arc &arc = design.arcs[edge.arc];
        float end = design.timing.arrival[arc.net] + arc.delay + edge.delay;
        if (edge.to != ENDPOINT || end < critical_path - 1e-3f || !design.is_routable(arc))
            continue;
        const Wire &wire = graph.wires[arc.sink];
        std::fprintf(stderr, " to X%d/Y%d/%s", wire.x, wire.y, graph.wire_name(arc.sink));
        break;
    }
    std::fprintf(stderr, "; %d arcs left to nextpnr\n", unrouted);
}
