// What the design's ports o_queued, o_handed and o_done tell, cycle by cycle.
#pragma once
#include <cstdint>
#include <vector>

// The events of one cycle: four bits for each port, one a unit. Laid out as the host reads it.
struct Events {
    uint64_t cycle;
    uint32_t queued, handed, done, unused;
};

// Records the events of a design that has those ports, while it is told to.
class EventLog {
    bool on = false;

    template<class Top>
    static auto look(const Top &top, Events &now, int) -> decltype(top.p_o__done, bool()) {
        now.queued = word(top.p_o__queued);
        now.handed = word(top.p_o__handed);
        now.done = word(top.p_o__done);
        return true;
    }

    template<class Top> static bool look(const Top &, Events &, long) { return false; }

public:
    std::vector<Events> events;

    // Returns false if the design has no such ports.
    template<class Top> bool record(const Top &top, bool enable) {
        Events now{};
        events.clear();
        on = enable && look(top, now, 0);
        return on == enable;
    }

    template<class Top> void sample(uint64_t cycle, const Top &top) {
        Events now{cycle, 0, 0, 0, 0};
        if (on && look(top, now, 0) && (now.queued | now.handed | now.done))
            events.push_back(now);
    }
};
