// Refines a placed ECP5 design: refine ROUNDS WIRE_WEIGHT SEED TEMPERATURE PROBLEM ANSWER

#include <cstdlib>

#include "common/exit_status.h"
#include "refiner/annealer.h"
#include "refiner/problem_io.h"

int main(int count, char **arguments) {
    if (count != 7) return BAD_PROBLEM;
    AnnealingOptions options;
    options.rounds = std::atoi(arguments[1]);
    options.wire_weight = std::atof(arguments[2]);
    options.seed = std::atoi(arguments[3]);
    options.first_temperature = std::atof(arguments[4]);
    Placement placement = read_placement(arguments[5]);
    Annealer(placement, options).run();
    write_placement(placement, arguments[6]);
}
