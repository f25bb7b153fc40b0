// Routes a placed ECP5 design: route DATABASE GRADE PROBLEM ANSWER

#include <cstdlib>

#include "common/exit_status.h"
#include "router/negotiation.h"
#include "router/problem_io.h"

int main(int count, char **arguments) {
    if (count != 5) return BAD_PROBLEM;
    RoutingGraph graph(arguments[1], std::atoi(arguments[2]));
    Design design = read_design(arguments[3], graph);
    Negotiation(graph, design).run();
    write_routes(design, graph, arguments[4]);
}
