// Problem and answer files of the refiner; refiner.py documents both.

#ifndef ECP5_PNR_REFINER_PROBLEM_IO_H
#define ECP5_PNR_REFINER_PROBLEM_IO_H

#include "refiner/placement.h"

// End the program with an exit status where a file cannot be read or written.
Placement read_placement(const char *path);
void write_placement(const Placement &placement, const char *path);

#endif
