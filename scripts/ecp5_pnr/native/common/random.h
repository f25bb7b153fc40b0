// Xorshift generator: the same numbers on every machine.
// Source: G. Marsaglia: Xorshift RNGs, Journal of Statistical Software 8 (14), 2003.

#ifndef ECP5_PNR_RANDOM_H
#define ECP5_PNR_RANDOM_H

#include <cstdint>

class Random {
public:
    explicit Random(int seed) : state(88172645463325252ull + seed) {}

    uint32_t below(uint32_t bound) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return static_cast<uint32_t>(((state >> 32) * bound) >> 32);
    }
    // Between 0 and 1.
    float uniform() { return (below(1u << 24) + 0.5f) / (1u << 24); }

private:
    uint64_t state;
};

#endif
