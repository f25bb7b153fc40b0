// Recorder of the design's ports o_queued, o_issued and o_done.
#pragma once
#include <cstdint>
#include <vector>

// Events of one cycle: four bits for each port, one per unit. The host reads this layout.
struct Events {
    uint64_t cycle;
    uint32_t queued, issued, done, unused;
};

// Records the events of a design that has these ports, while recording is enabled.
class EventLog {
    bool on = false;

    template<class Top>
    static auto read_ports(const Top &top, Events &now, int) -> decltype(top.p_o__done, bool()) {
        now.queued = word(top.p_o__queued);
        now.issued = word(top.p_o__issued);
        now.done = word(top.p_o__done);
        return true;
    }

    template<class Top> static bool read_ports(const Top &, Events &, long) { return false; }

public:
    std::vector<Events> events;

    // Returns false if recording is to be enabled but the design has no such ports.
    template<class Top> bool record(const Top &top, bool enable) {
        Events now{};
        events.clear();
        on = enable && read_ports(top, now, 0);
        return on == enable;
    }

    template<class Top> void sample(uint64_t cycle, const Top &top) {
        Events now{cycle, 0, 0, 0, 0};
        if (on && read_ports(top, now, 0) && (now.queued | now.issued | now.done))
            events.push_back(now);
    }
};
