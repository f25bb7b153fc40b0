#include "router/route_tree.h"

void RouteTree::open(Net &net) {
    nodes.swap(net.tree);
    for (uint32_t at = 0; at < nodes.size(); ++at)
        node_of[nodes[at].wire] = at, fanouts[nodes[at].wire] = 0;
    for (const TreeNode &node : nodes)
        if (node.pip != NONE) ++fanouts[graph.pip_source[node.pip]];
}

void RouteTree::close(Net &net) {
    for (const TreeNode &node : nodes) node_of[node.wire] = NONE;
    net.tree.swap(nodes);
    nodes.clear();
}

void RouteTree::set_arrivals() {
    for (const TreeNode &node : nodes)
        arrivals[node.wire] = node.pip == NONE ? 0 : arrival_by(node.pip);
}

void RouteTree::add_path(uint32_t wire) {
    std::vector<uint32_t> path;
    for (; node_of[wire] == NONE; wire = graph.pip_source[path.back()])
        path.push_back(graph.wires[wire].from_pip);
    for (auto pip = path.rbegin(); pip != path.rend(); ++pip) {
        uint32_t to = graph.pips[*pip].to;
        node_of[to] = nodes.size();
        nodes.push_back({to, *pip, 0});
        ++graph.wires[to].occupancy;
        fanouts[to] = 0, ++fanouts[graph.pip_source[*pip]];
        arrivals[to] = arrival_by(*pip);
    }
}

void RouteTree::prune() {
    size_t kept = 0;
    for (const TreeNode &node : nodes) {
        if (node.arcs || node.pip == NONE) {
            node_of[node.wire] = kept;
            nodes[kept++] = node;
            continue;
        }
        node_of[node.wire] = NONE;
        --graph.wires[node.wire].occupancy;
        --fanouts[graph.pip_source[node.pip]];
    }
    nodes.resize(kept);
}

bool RouteTree::is_shared(uint32_t sink) {
    bool shared = false;
    for_each_node(sink, [&](const TreeNode &node) {
        shared |= graph.wires[node.wire].occupancy > 1; });
    return shared;
}
