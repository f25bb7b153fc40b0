// What refine.cc and route.cc have in common: lists, and how late each wire is.

#ifndef WEFT_SLACK_H
#define WEFT_SLACK_H

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

constexpr float NEVER = 1e9f;           // ns

// A list for each of many.
struct Lists {
    struct Range {
        const int *from, *to;
        const int *begin() const { return from; }
        const int *end() const { return to; }
        size_t size() const { return to - from; }
    };
    std::vector<int> first, items;

    template <typename Of> Lists(size_t count, size_t size, Of of) : first(count + 1), items() {
        for (size_t at = 0; at < size; ++at) if (of(at) >= 0) ++first[of(at) + 1];
        for (size_t at = 0; at < count; ++at) first[at + 1] += first[at];
        items.resize(first[count]);
        std::vector<int> next = first;
        for (size_t at = 0; at < size; ++at) if (of(at) >= 0) items[next[of(at)]++] = at;
    }
    Lists() {}
    Range operator[](size_t at) const {
        return {items.data() + first[at], items.data() + first[at + 1]};
    }
};

inline int read_int() {
    int value;
    if (std::scanf("%d", &value) != 1) std::exit(2);
    return value;
}

inline float read_float() {
    float value;
    if (std::scanf("%f", &value) != 1) std::exit(2);
    return value;
}

struct Edge { int wire, to; float delay; };             // to: a net, or -1 for an end
struct Late { float slowest; int count; double sum; };

// A wire here goes from a net to one of its sinks. It has its `net`, and gets the `limit` of its
// delay, which would leave no slack.
struct Timing {
    std::vector<float> launch;          // of a net: ns after the clock, negative if not known
    std::vector<float> arrival, required;
    std::vector<Edge> edges;
    Lists into, out_of;                 // net: edges that drive it; of it
    std::vector<int> order;             // nets of tables, each after those that drive it

    void read_edges() {
        edges.resize(read_int());
        for (Edge &edge : edges)
            edge.wire = read_int(), edge.to = read_int(), edge.delay = read_float();
    }

    template <typename Wires> void sort_nets(const Wires &wires) {
        size_t nets = launch.size();
        arrival.resize(nets), required.resize(nets);
        into = Lists(nets, edges.size(), [this](size_t at) { return edges[at].to; });
        out_of = Lists(nets, edges.size(), [&](size_t at) { return wires[edges[at].wire].net; });
        std::vector<int> waiting(nets), ready;
        for (size_t net = 0; net < nets; ++net)
            if (launch[net] < 0) {
                for (int edge : into[net]) waiting[net] += launch[wires[edges[edge].wire].net] < 0;
                if (!waiting[net]) ready.push_back(net);
            }
        while (!ready.empty()) {
            int net = ready.back();
            ready.pop_back();
            order.push_back(net);
            for (int edge : out_of[net])
                if (edges[edge].to >= 0 && !--waiting[edges[edge].to])
                    ready.push_back(edges[edge].to);
        }
    }

    // Arrival and required times, and from them the limit of each wire.
    template <typename Wires, typename Delay>
    Late analyse(Wires &wires, float period, Delay delay) {
        for (size_t net = 0; net < launch.size(); ++net) {
            arrival[net] = std::max(launch[net], 0.0f);
            required[net] = NEVER;
        }
        for (int net : order)
            for (int at : into[net]) {
                const Edge &edge = edges[at];
                const auto &wire = wires[edge.wire];
                arrival[net] = std::max(arrival[net], arrival[wire.net] + delay(wire) + edge.delay);
            }
        Late late{0, 0, 0};
        for (auto &wire : wires) wire.limit = NEVER;
        auto weigh = [&](const Edge &edge, float needed) {
            auto &wire = wires[edge.wire];
            float limit = needed - edge.delay - arrival[wire.net];
            wire.limit = std::min(wire.limit, limit);
            limit -= delay(wire);
            required[wire.net] = std::min(required[wire.net], limit + arrival[wire.net]);
            return limit;
        };
        for (const Edge &edge : edges)
            if (edge.to < 0) {
                float slack = weigh(edge, period);
                late.slowest = std::max(late.slowest, period - slack);
                if (slack < 0) ++late.count, late.sum -= slack;
            }
        for (auto net = order.rbegin(); net != order.rend(); ++net)
            for (int at : into[*net]) weigh(edges[at], required[*net]);
        return late;
    }
};

#endif
