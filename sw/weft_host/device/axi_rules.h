// Checker of the AXI4 rules for managers, for use in every cycle.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

// Number of violations on all channels, and a description of the first one.
class Rules {
public:
    std::string broken;
    uint64_t count = 0;

    void fail(uint64_t cycle, const std::string &what) {
        if (count++ == 0) {
            char text[32];
            snprintf(text, sizeof text, "cycle %llu: ", (unsigned long long)cycle);
            broken = text + what;
        }
    }
};

// Rule for one channel: once valid is high, valid and payload must not change until ready is high.
// Payloads are compared as bytes.
template<class Payload> class StableChannel {
    const char *name;
    bool pending = false;
    Payload before;

public:
    explicit StableChannel(const char *name) : name(name) {}

    void check(Rules &rules, uint64_t cycle, bool valid, bool ready, const Payload &now) {
        if (pending && !valid)
            rules.fail(cycle, std::string(name) + " valid fell before ready");
        else if (pending && memcmp(&before, &now, sizeof now))
            rules.fail(cycle, std::string(name) + " changed while valid and not ready");
        pending = valid && !ready;
        before = now;
    }
};

struct Address {
    uint64_t addr;
    uint32_t len, size, burst, id;
};

inline void check_address(Rules &rules, uint64_t cycle, const char *name, const Address &a,
                          uint32_t beat_bytes) {
    std::string channel(name);
    char text[96];
    uint64_t last = a.addr + (uint64_t)(a.len + 1) * beat_bytes - 1;
    if (a.burst != 1)
        rules.fail(cycle, channel + " is not an incrementing burst");
    if (1u << a.size != beat_bytes)
        rules.fail(cycle, channel + " does not use whole beats");
    if (a.addr % beat_bytes)
        rules.fail(cycle, channel + " is not aligned to a beat");
    if (a.addr / 4096 != last / 4096) {
        snprintf(text, sizeof text, " of %u beats from 0x%llx crosses a 4 KiB boundary", a.len + 1,
                 (unsigned long long)a.addr);
        rules.fail(cycle, channel + text);
    }
}
