#include "router/problem_io.h"

#include <cstdio>
#include <cstdlib>

#include "common/exit_status.h"
#include "common/text_input.h"

namespace {

constexpr float TARGET = 0.95f;         // of the required period
enum WireSyntax { NO_WIRE, NECESSARY_WIRE, OPTIONAL_WIRE };

uint32_t read_wire(TextInput &input, RoutingGraph &graph) {
    int syntax = input.read_int();
    if (syntax == NO_WIRE) return NONE;
    int x = input.read_int(), y = input.read_int();
    const char *name = input.read_name();
    uint32_t wire = graph.find_wire(x, y, name);
    if (wire != NONE || syntax == OPTIONAL_WIRE) return wire;
    std::fprintf(stderr, "there is no wire X%d/Y%d/%s\n", x, y, name);
    std::exit(UNKNOWN_DATABASE);
}

// A pin in the clock network has a single wire of the fabric in front of it: it becomes the sink.
void leave_clock_network(Arc &arc, const RoutingGraph &graph) {
    uint32_t pin = arc.sink, first = graph.first_source(pin);
    arc.sink = NONE;
    if (graph.last_source(pin) != first + 1) return;
    uint32_t from = graph.sources[first];
    if (graph.wires[from].kind & CLOCK_NETWORK) return;
    arc.sink = from;
    arc.last_pip = graph.first_pip(from);
    while (graph.pips[arc.last_pip].to != pin) ++arc.last_pip;
}

void read_arcs(TextInput &input, Design &design, RoutingGraph &graph) {
    design.arcs.resize(input.read_int());
    for (Arc &arc : design.arcs) {
        arc.net = input.read_int(), arc.permutation = input.read_int();
        arc.sink = read_wire(input, graph), arc.last_pip = NONE;
        if (arc.sink != NONE && graph.wires[arc.sink].kind & CLOCK_NETWORK)
            leave_clock_network(arc, graph);
        arc.routed = arc.unroutable = false, arc.criticality = 0, arc.max_delay = NEVER;
        arc.delay = 0;
        if (!design.is_routable(arc)) continue;
        const Wire &from = graph.wires[design.nets[arc.net].source], &to = graph.wires[arc.sink];
        arc.delay = estimate_delay(from.x - to.x, from.y - to.y, design.tile_delay);
    }
}

void print_pip(std::FILE *file, const RoutingGraph &graph, uint32_t index) {
    uint32_t from = graph.pip_source[index], to = graph.pips[index].to;
    const Wire &source = graph.wires[from], &sink = graph.wires[to];
    int tile = graph.tile_of_pip(index), x = tile % graph.width, y = tile / graph.width;
    std::fprintf(file, ";X%d/Y%d/%s;X%d/Y%d/%d_%d_%s->%d_%d_%s;1",
                 sink.x, sink.y, graph.wire_name(to), x, y,
                 source.x - x, source.y - y, graph.wire_name(from),
                 sink.x - x, sink.y - y, graph.wire_name(to));
}

}  // namespace

Design read_design(const char *path, RoutingGraph &graph) {
    TextInput input(path);
    Design design;
    design.period = TARGET * input.read_float(), design.tile_delay = input.read_float();
    design.nets.resize(input.read_int()), design.timing.launch.resize(design.nets.size());
    for (size_t net = 0; net < design.nets.size(); ++net) {
        design.timing.launch[net] = input.read_float();
        design.nets[net].source = read_wire(input, graph);
    }
    read_arcs(input, design, graph);
    design.timing.read_edges(input);
    design.timing.sort_nets(design.arcs);
    design.arcs_of_net = IndexLists(design.nets.size(), design.arcs.size(), [&](size_t at) {
        return design.is_routable(design.arcs[at]) ? design.arcs[at].net : -1; });
    for (size_t at = 0; at < design.nets.size(); ++at)
        if (design.arcs_of_net[at].size()) {
            Net &net = design.nets[at];
            net.tree.push_back({net.source, NONE, 0});
            ++graph.wires[net.source].occupancy;
        }
    return design;
}

void write_routes(const Design &design, const RoutingGraph &graph, const char *path) {
    std::FILE *file = std::fopen(path, "w");
    if (!file) std::exit(FILE_ERROR);
    for (size_t at = 0; at < design.nets.size(); ++at) {
        const Net &net = design.nets[at];
        if (net.tree.size() > 1) {
            const Wire &source = graph.wires[net.source];
            std::fprintf(file, "X%d/Y%d/%s;;1", source.x, source.y, graph.wire_name(net.source));
            for (const TreeNode &node : net.tree)
                if (node.pip != NONE) print_pip(file, graph, node.pip);
            for (int number : design.arcs_of_net[at]) {
                const Arc &arc = design.arcs[number];
                if (arc.routed && arc.last_pip != NONE) print_pip(file, graph, arc.last_pip);
            }
        }
        std::fputc('\n', file);
    }
    if (std::fclose(file)) std::exit(FILE_ERROR);
}
