// Host memory at an AXI4 port, with latency, bandwidth, pauses and faults on every channel.
#pragma once
#include <cstdint>
#include <cstring>
#include <deque>
#include <vector>

#include "stalls.h"

enum Response : uint8_t { OKAY = 0, SLVERR = 2, DECERR = 3 };

// Silent channels: ready stays low, or no response is ever sent.
enum Silence : uint32_t { NO_AR = 1, NO_R = 2, NO_AW = 4, NO_W = 8, NO_B = 16 };

struct FaultRange {
    uint64_t start, end;
    Response response;
    bool write;
};

struct Burst {
    uint64_t addr;
    uint32_t beats;
    uint64_t due;       // first cycle in which its response may be sent
};

constexpr uint32_t MAX_BEAT = 32;

struct ReadBeat {
    uint8_t response;
    bool last;
    uint8_t data[MAX_BEAT];
};

// Content and error responses of the memory; the timing is in AxiMemory.
class Store {
public:
    uint64_t base;
    uint32_t beat_bytes;
    std::vector<uint8_t> bytes;
    std::vector<FaultRange> faults;

    Store(uint64_t base, uint64_t size, uint32_t beat_bytes)
        : base(base), beat_bytes(beat_bytes), bytes(size) {}

    Response respond(uint64_t addr, bool write) const {
        for (const FaultRange &fault : faults)
            if (fault.write == write && fault.start < addr + beat_bytes && fault.end > addr)
                return fault.response;
        if (addr < base || addr + beat_bytes > base + bytes.size())
            return DECERR;
        return OKAY;
    }

    void read(uint64_t addr, ReadBeat &beat) const {
        beat.response = respond(addr, false);
        if (beat.response == OKAY)
            memcpy(beat.data, &bytes[addr - base], beat_bytes);
        else
            memset(beat.data, 0xA5, beat_bytes);    // invalid data that must not be used
    }

    Response write(uint64_t addr, const uint8_t *data, uint64_t strobes) {
        Response response = respond(addr, true);
        if (response == OKAY)
            for (uint32_t i = 0; i < beat_bytes; i++)
                if (strobes >> i & 1)
                    bytes[addr - base + i] = data[i];
        return response;
    }
};

// Subordinate side of the AXI4 port. In each cycle, `prepare` determines the outputs, and the
// `accept_*` functions receive the transfers. Outputs never depend on the manager's outputs of the
// same cycle.
class AxiMemory {
    static constexpr size_t DEPTH = 64;     // outstanding bursts, or beats of data, per queue

    struct WriteBeat {
        uint8_t data[MAX_BEAT];
        uint64_t strobes;
        bool last;
    };

    uint32_t latency;
    Rate read_rate, write_rate;
    Pauses ar_pauses, r_pauses, aw_pauses, w_pauses, b_pauses;
    std::deque<Burst> reads, writes, responses;
    std::deque<WriteBeat> beats;
    std::deque<Response> response_codes;
    Response worst = OKAY;

public:
    Store store;
    uint32_t silent = 0;

    bool arready = false, awready = false, wready = false, rvalid = false, bvalid = false;
    ReadBeat r;
    uint8_t bresp = OKAY;

    AxiMemory(uint64_t base, uint64_t size, uint32_t beat_bytes, uint32_t latency,
              double bandwidth, bool gaps, bool back_pressure, uint64_t seed)
        : latency(latency), read_rate(bandwidth), write_rate(bandwidth),
          ar_pauses(back_pressure, seed * 5 + 1), r_pauses(gaps, seed * 5 + 2),
          aw_pauses(back_pressure, seed * 5 + 3), w_pauses(back_pressure, seed * 5 + 4),
          b_pauses(gaps, seed * 5 + 5), store(base, size, beat_bytes) {}

    bool idle() const {
        return reads.empty() && writes.empty() && responses.empty() && beats.empty() && !rvalid &&
               !bvalid;
    }

    void prepare(uint64_t cycle) {
        read_rate.tick();
        write_rate.tick();
        arready = ar_pauses.open() && reads.size() < DEPTH && !(silent & NO_AR);
        awready = aw_pauses.open() && writes.size() < DEPTH && !(silent & NO_AW);
        wready = w_pauses.open() && beats.size() < DEPTH && write_rate.ready() &&
                 !(silent & NO_W);
        bool r_open = r_pauses.open() && !(silent & NO_R);
        if (!rvalid && r_open && !reads.empty() && reads.front().due <= cycle &&
            read_rate.ready()) {
            rvalid = true;
            store.read(reads.front().addr, r);
            r.last = reads.front().beats == 1;
            read_rate.spend();
        }
        bool b_open = b_pauses.open() && !(silent & NO_B);
        if (!bvalid && b_open && !responses.empty() && responses.front().due <= cycle) {
            bvalid = true;
            bresp = response_codes.front();
        }
    }

    void accept_ar(uint64_t cycle, uint64_t addr, uint32_t beats) {
        reads.push_back({addr, beats, cycle + latency});
    }

    void accept_r() {
        rvalid = false;
        Burst &burst = reads.front();
        burst.addr += store.beat_bytes;
        if (--burst.beats == 0)
            reads.pop_front();
    }

    void accept_aw(uint64_t addr, uint32_t beats) { writes.push_back({addr, beats, 0}); }

    void accept_w(const uint8_t *data, uint64_t strobes, bool last) {
        write_rate.spend();
        WriteBeat beat;
        memcpy(beat.data, data, store.beat_bytes);
        beat.strobes = strobes;
        beat.last = last;
        beats.push_back(beat);
    }

    void accept_b() {
        bvalid = false;
        responses.pop_front();
        response_codes.pop_front();
    }

    // Carries out the writes whose address and data have both arrived; data may arrive first.
    // Returns false if WLAST is not at the end of its burst.
    bool write_through(uint64_t cycle) {
        bool good = true;
        while (!writes.empty() && !beats.empty()) {
            Burst &burst = writes.front();
            WriteBeat &beat = beats.front();
            Response response = store.write(burst.addr, beat.data, beat.strobes);
            if (response > worst)
                worst = response;
            burst.addr += store.beat_bytes;
            good = good && beat.last == (burst.beats == 1);
            if (--burst.beats == 0) {
                responses.push_back({0, 0, cycle + latency});
                response_codes.push_back(worst);
                worst = OKAY;
                writes.pop_front();
            }
            beats.pop_front();
        }
        return good;
    }
};
