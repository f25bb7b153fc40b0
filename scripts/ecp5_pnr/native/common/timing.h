// Delays before routing, and static timing analysis with one clock.

#ifndef ECP5_PNR_TIMING_H
#define ECP5_PNR_TIMING_H

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "common/index_lists.h"
#include "common/text_input.h"

constexpr float NEVER = 1e9f;           // ns
constexpr int ENDPOINT = -1;

// nextpnr's estimate, in ns, of the delay of an arc over a distance of dx, dy tiles.
inline float estimate_delay(int dx, int dy, float tile_delay) {
    dx = std::abs(dx), dy = std::abs(dy);
    return tile_delay * (6 + std::max(dx - 5, 0) + std::max(dy - 5, 0)
                         + 2 * (std::min(dx, 5) + std::min(dy, 5)));
}

// Step of a path: from an arc's sink through a cell to the net `to` that the cell drives, after
// `delay` ns, or to a register with a setup time of `delay` ns, where `to` is ENDPOINT.
struct TimingEdge { int arc, to; float delay; };

struct TimingSummary {
    float critical_path;                // ns
    int failing_endpoints;
    double negative_slack;              // ns, of all failing endpoints together, positive
};

// Arrival and required times of the nets of a design.
//
// An arc type of the caller has the members `net`, and `max_delay`, which analyse() sets: the delay
// in ns that leaves a slack of 0.
class Timing {
public:
    std::vector<float> launch;          // of a net: ns after the clock; negative if combinational
    std::vector<float> arrival;         // of a net, at its driver, ns
    std::vector<TimingEdge> edges;

    void read_edges(TextInput &input) {
        edges.resize(input.read_int());
        for (TimingEdge &edge : edges) {
            edge.arc = input.read_int();
            edge.to = input.read_int();
            edge.delay = input.read_float();
        }
    }

    // Sorts the combinational nets topologically; nets of a combinational loop are left out.
    template <typename Arcs> void sort_nets(const Arcs &arcs) {
        size_t nets = launch.size();
        arrival.resize(nets), required.resize(nets);
        edges_into = IndexLists(nets, edges.size(), [this](size_t at) { return edges[at].to; });
        edges_from = IndexLists(nets, edges.size(), [&](size_t at) {
            return arcs[edges[at].arc].net; });
        std::vector<int> waiting(nets), ready;
        for (size_t net = 0; net < nets; ++net) {
            if (launch[net] >= 0) continue;
            for (int edge : edges_into[net]) waiting[net] += launch[arcs[edges[edge].arc].net] < 0;
            if (!waiting[net]) ready.push_back(net);
        }
        while (!ready.empty()) {
            int net = ready.back();
            ready.pop_back();
            order.push_back(net);
            for (int edge : edges_from[net])
                if (edges[edge].to != ENDPOINT && !--waiting[edges[edge].to])
                    ready.push_back(edges[edge].to);
        }
    }

    // `delay` gives the delay of an arc in ns.
    template <typename Arcs, typename Delay>
    TimingSummary analyse(Arcs &arcs, float period, Delay delay) {
        set_arrivals(arcs, delay);
        TimingSummary summary{0, 0, 0};
        for (auto &arc : arcs) arc.max_delay = NEVER;
        for (const TimingEdge &edge : edges) {
            if (edge.to != ENDPOINT) continue;
            float slack = require(arcs, edge, period, delay);
            summary.critical_path = std::max(summary.critical_path, period - slack);
            if (slack < 0) ++summary.failing_endpoints, summary.negative_slack -= slack;
        }
        for (auto net = order.rbegin(); net != order.rend(); ++net)
            for (int at : edges_into[*net]) require(arcs, edges[at], required[*net], delay);
        return summary;
    }

private:
    std::vector<float> required;
    IndexLists edges_into, edges_from;  // of a net: those that drive it; those of its arcs
    std::vector<int> order;

    template <typename Arcs, typename Delay> void set_arrivals(Arcs &arcs, Delay delay) {
        for (size_t net = 0; net < launch.size(); ++net) {
            arrival[net] = std::max(launch[net], 0.0f);
            required[net] = NEVER;
        }
        for (int net : order)
            for (int at : edges_into[net]) {
                const TimingEdge &edge = edges[at];
                const auto &arc = arcs[edge.arc];
                arrival[net] = std::max(arrival[net], arrival[arc.net] + delay(arc) + edge.delay);
            }
    }

    // Requires the end of `edge` at `time`; returns the slack.
    template <typename Arcs, typename Delay>
    float require(Arcs &arcs, const TimingEdge &edge, float time, Delay delay) {
        auto &arc = arcs[edge.arc];
        float max_delay = time - edge.delay - arrival[arc.net];
        arc.max_delay = std::min(arc.max_delay, max_delay);
        float slack = max_delay - delay(arc);
        required[arc.net] = std::min(required[arc.net], slack + arrival[arc.net]);
        return slack;
    }
};

#endif
