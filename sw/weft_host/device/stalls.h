// Random pauses, which a seed makes reproducible.
#pragma once
#include <cstdint>

// Random number generator xorshift64*: small, fast and sufficient for pauses.
class Random {
    uint64_t state;

public:
    explicit Random(uint64_t seed) : state(seed * 0x9E3779B97F4A7C15ull | 1) {}

    uint32_t next() {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return (state * 0x2545F4914F6CDD1Dull) >> 32;
    }
};

// Pauses of one channel: alternating runs of 1 to 8 open and closed cycles, so that both
// single-cycle gaps and full queues occur.
class Pauses {
    Random random;
    uint32_t left = 0;
    bool is_open = true;
    bool enabled;

public:
    Pauses(bool enabled, uint64_t seed) : random(seed), enabled(enabled) {}

    // Must be called once per cycle.
    bool open() {
        if (!enabled)
            return true;
        if (left == 0) {
            is_open = !is_open;
            left = 1 + (random.next() & 7);
        }
        left--;
        return is_open;
    }
};

// Rate limiter that permits an evenly distributed share of the cycles.
class Rate {
    double share;
    double credit = 1.0;

public:
    explicit Rate(double share) : share(share) {}

    void tick() { credit = credit + share < 1.0 ? credit + share : 1.0; }
    bool ready() const { return credit >= 1.0 - 1e-9; }
    void spend() { credit -= 1.0; }
};
