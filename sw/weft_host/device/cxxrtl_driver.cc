// Driver of one Weft instance that CXXRTL has converted to C++: clock, AXI4-Lite host, AXI4 memory.
//
// WEFT_TOP is the class of the design and WEFT_DESIGN the file that contains it. WEFT_TRACE is 1 if
// the design keeps the names of its signals, so that a waveform can be written. WEFT_SINGLE_STEP is
// 1 if one evaluation per cycle is enough, because the combinational logic has no loops. WEFT_RESET
// is the number of cycles that the reset is high at first; with 0, the design has no reset.
#include WEFT_DESIGN
#if WEFT_TRACE
#include <cxxrtl/cxxrtl_vcd.h>
#include <fstream>
#endif
#include "axi_memory.h"
#include "axi_rules.h"

using cxxrtl::value;
using cxxrtl::wire;

// An output port is a plain value or, if a register drives it, a wire.
template<size_t N> const value<N> &current(const value<N> &port) { return port; }
template<size_t N> const value<N> &current(const wire<N> &port) { return port.curr; }
template<class Port> uint32_t word(const Port &port) { return current(port).data[0]; }
template<size_t N> void drive(value<N> &port, uint32_t word) { port.data[0] = word; }

#include "events.h"

struct Data {
    uint8_t bytes[MAX_BEAT];
    uint64_t strobes;
    uint64_t last;
};

// Outputs of the AXI4-Lite port in the previous cycle.
struct Lite {
    bool awready, wready, bvalid, arready, rvalid;
    uint8_t bresp, rresp;
    uint32_t rdata;
};

class Driver {
    using Top = WEFT_TOP;
    static constexpr uint32_t BEAT = decltype(Top::p_m__axi__rdata)::bits / 8;

    Top top;
    Lite lite{};
    StableChannel<Address> ar_rule{"AR"}, aw_rule{"AW"};
    StableChannel<Data> w_rule{"W"};
#if WEFT_TRACE
    cxxrtl::vcd_writer vcd;
    std::ofstream vcd_file;

    void sample(uint64_t time) {
        if (!vcd_file.is_open())
            return;
        vcd.sample(time);
        vcd_file << vcd.buffer;
        vcd.buffer.clear();
    }
#else
    void sample(uint64_t) {}
#endif

public:
    AxiMemory memory;
    Rules rules;
    EventLog log;
    uint64_t cycle = 0;
    uint64_t last_write_cycle = 0;      // when the last register write was accepted
    uint64_t irq_cycle = 0;             // the cycle of the last rising edge of irq
    bool irq = false;                   // irq in the previous cycle

    Driver(uint64_t base, uint64_t size, uint32_t latency, double bandwidth, bool gaps,
           bool back_pressure, uint64_t seed)
        : memory(base, size, BEAT, latency, bandwidth, gaps, back_pressure, seed) {
#if WEFT_RESET
        drive(top.p_rst, 1);
        while (cycle < WEFT_RESET)
            clock();
        drive(top.p_rst, 0);
#endif
    }

    bool trace(const char *path) {
#if WEFT_TRACE
        cxxrtl::debug_items items;
        top.debug_info(&items, nullptr, "weft ");
        vcd_file.open(path);
        if (!vcd_file)
            return false;
        vcd.timescale(1, "ns");
        vcd.add_without_memories(items);
        return true;
#else
        (void)path;
        return false;
#endif
    }

    // Evaluates one cycle up to its rising edge, where transfers take place.
    void before_edge() {
#if WEFT_SINGLE_STEP
        // Registers keep their old values until they are committed, so the evaluation that
        // computes the new values also yields the outputs before the edge.
        drive(top.prev_p_clk, 0);
        drive(top.p_clk, 1);
        top.eval();
#else
        drive(top.p_clk, 0);
        top.step();
        sample(10 * cycle);
#endif
    }

    void after_edge() {
#if WEFT_SINGLE_STEP
        top.latch();
#else
        drive(top.p_clk, 1);
        top.step();
        sample(10 * cycle + 5);
#endif
        cycle++;
    }

    // Simulates one cycle. Inputs are stable from the preceding falling edge.
    void clock() {
        memory.prepare(cycle);
        drive(top.p_m__axi__arready, memory.arready);
        drive(top.p_m__axi__awready, memory.awready);
        drive(top.p_m__axi__wready, memory.wready);
        drive(top.p_m__axi__rvalid, memory.rvalid);
        if (memory.rvalid) {
            memcpy(top.p_m__axi__rdata.data, memory.r.data, BEAT);
            drive(top.p_m__axi__rresp, memory.r.response);
            drive(top.p_m__axi__rlast, memory.r.last);
        }
        drive(top.p_m__axi__bvalid, memory.bvalid);
        drive(top.p_m__axi__bresp, memory.bresp);
        before_edge();
        transfer(cycle);
        log.sample(cycle, top);
        lite = {bool(word(top.p_s__axil__awready)), bool(word(top.p_s__axil__wready)),
                bool(word(top.p_s__axil__bvalid)), bool(word(top.p_s__axil__arready)),
                bool(word(top.p_s__axil__rvalid)), uint8_t(word(top.p_s__axil__bresp)),
                uint8_t(word(top.p_s__axil__rresp)), word(top.p_s__axil__rdata)};
        bool irq_before = irq;
        irq = word(top.p_irq);
        if (irq && !irq_before)
            irq_cycle = cycle;
        after_edge();
    }

    void transfer(uint64_t now) {
        // the payload of a channel matters only while its valid is high
        bool arvalid = word(top.p_m__axi__arvalid), awvalid = word(top.p_m__axi__awvalid);
        bool wvalid = word(top.p_m__axi__wvalid);
        bool got_r = memory.rvalid && word(top.p_m__axi__rready);
        bool got_b = memory.bvalid && word(top.p_m__axi__bready);
        Address ar{}, aw{};
        Data w{};
        if (arvalid)
            ar = {word(top.p_m__axi__araddr), word(top.p_m__axi__arlen),
                  word(top.p_m__axi__arsize), word(top.p_m__axi__arburst),
                  word(top.p_m__axi__arid)};
        if (awvalid)
            aw = {word(top.p_m__axi__awaddr), word(top.p_m__axi__awlen),
                  word(top.p_m__axi__awsize), word(top.p_m__axi__awburst),
                  word(top.p_m__axi__awid)};
        if (wvalid) {
            memcpy(w.bytes, current(top.p_m__axi__wdata).data, BEAT);
            w.strobes = word(top.p_m__axi__wstrb);
            w.last = word(top.p_m__axi__wlast);
            for (uint32_t i = 0; i < BEAT; i++)
                if (!(w.strobes >> i & 1))
                    w.bytes[i] = 0;
        }
        ar_rule.check(rules, now, arvalid, memory.arready, ar);
        aw_rule.check(rules, now, awvalid, memory.awready, aw);
        w_rule.check(rules, now, wvalid, memory.wready, w);
        if (got_r)
            memory.accept_r();
        if (got_b)
            memory.accept_b();
        if (arvalid && memory.arready) {
            check_address(rules, now, "AR", ar, BEAT);
            memory.accept_ar(now, ar.addr, ar.len + 1);
        }
        if (awvalid && memory.awready) {
            check_address(rules, now, "AW", aw, BEAT);
            memory.accept_aw(aw.addr, aw.len + 1);
        }
        if (wvalid && memory.wready)
            memory.accept_w(w.bytes, w.strobes, w.last);
        if (!memory.write_through(now))
            rules.fail(now, "W last does not end its burst");
    }

    bool record(bool enable) { return log.record(top, enable); }

    // Makes one AXI4-Lite access. Returns the response, or -1 after `limit` cycles.
    int write_register(uint32_t addr, uint32_t data, uint32_t limit) {
        bool addr_left = true, data_left = true;
        drive(top.p_s__axil__awaddr, addr);
        drive(top.p_s__axil__wdata, data);
        drive(top.p_s__axil__wstrb, 15);
        drive(top.p_s__axil__bready, 1);
        for (; limit; limit--) {
            drive(top.p_s__axil__awvalid, addr_left);
            drive(top.p_s__axil__wvalid, data_left);
            bool left = addr_left || data_left;
            clock();
            addr_left = addr_left && !lite.awready;
            data_left = data_left && !lite.wready;
            if (left && !addr_left && !data_left)
                last_write_cycle = cycle - 1;
            if (lite.bvalid)
                break;
        }
        drive(top.p_s__axil__awvalid, 0);
        drive(top.p_s__axil__wvalid, 0);
        drive(top.p_s__axil__bready, 0);
        return limit ? lite.bresp : -1;
    }

    int read_register(uint32_t addr, uint32_t *data, uint32_t limit) {
        bool addr_left = true;
        drive(top.p_s__axil__araddr, addr);
        drive(top.p_s__axil__rready, 1);
        for (; limit; limit--) {
            drive(top.p_s__axil__arvalid, addr_left);
            clock();
            addr_left = addr_left && !lite.arready;
            if (lite.rvalid)
                break;
        }
        drive(top.p_s__axil__arvalid, 0);
        drive(top.p_s__axil__rready, 0);
        *data = lite.rdata;
        return limit ? lite.rresp : -1;
    }
};

extern "C" {

Driver *weft_create(uint64_t base, uint64_t size, uint32_t latency, double bandwidth,
                    uint32_t gaps, uint32_t back_pressure, uint64_t seed, const char *trace) {
    Driver *driver =
        new Driver(base, size, latency, bandwidth, gaps != 0, back_pressure != 0, seed);
    if (trace && !driver->trace(trace)) {
        delete driver;
        return nullptr;
    }
    return driver;
}

void weft_destroy(Driver *driver) { delete driver; }
uint8_t *weft_memory(Driver *driver) { return driver->memory.store.bytes.data(); }

void weft_fault(Driver *driver, uint64_t addr, uint64_t size, uint32_t response, uint32_t write) {
    driver->memory.store.faults.push_back({addr, addr + size, Response(response), write != 0});
}

void weft_clear_faults(Driver *driver) { driver->memory.store.faults.clear(); }
void weft_silence(Driver *driver, uint32_t channels) { driver->memory.silent = channels; }

int weft_write_register(Driver *driver, uint32_t addr, uint32_t data, uint32_t limit) {
    return driver->write_register(addr, data, limit);
}

int weft_read_register(Driver *driver, uint32_t addr, uint32_t *data, uint32_t limit) {
    return driver->read_register(addr, data, limit);
}

// Runs until irq is high or `limit` cycles have passed; returns whether it is high.
int weft_run(Driver *driver, uint64_t limit) {
    while (!driver->irq && limit--)
        driver->clock();
    return driver->irq;
}

// Starts recording events, or stops and discards them. Returns 0 if the design has no event ports.
int weft_record(Driver *driver, uint32_t enable) { return driver->record(enable != 0); }
uint64_t weft_event_count(Driver *driver) { return driver->log.events.size(); }
const Events *weft_events(Driver *driver) { return driver->log.events.data(); }

uint64_t weft_cycle(Driver *driver) { return driver->cycle; }

int weft_single_step() { return WEFT_SINGLE_STEP; }
uint64_t weft_last_write_cycle(Driver *driver) { return driver->last_write_cycle; }
uint64_t weft_irq_cycle(Driver *driver) { return driver->irq_cycle; }
int weft_bus_idle(Driver *driver) { return driver->memory.idle(); }

uint64_t weft_broken_rules(Driver *driver, char *text, uint64_t size) {
    snprintf(text, size, "%s", driver->rules.broken.c_str());
    return driver->rules.count;
}
}
