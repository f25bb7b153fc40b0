// Clocks a design whose only pins are a serial line, and speaks 8N1 on them.
#include WEFT_DESIGN
#include <cstdint>
#include <deque>

class Driver {
    WEFT_TOP top;
    uint32_t bit;                       // clocks of a bit

    // sending: ten bits, lowest first, of the byte on its way
    uint32_t shift = 0, sent = 0, send_left = 0;
    // receiving: counts down to the middle of the next bit
    uint32_t got = 0, bits = 0, receive_left = 0;
    bool receiving = false;

public:
    std::deque<uint8_t> in, out;
    uint64_t cycle = 0, broken = 0;     // bytes without a stop bit

    explicit Driver(uint32_t bit) : bit(bit) {
        top.p_rx.data[0] = 1;
    }

    void clock() {
        if (!sent && !in.empty()) {
            shift = uint32_t(in.front()) << 1 | 0x200;
            in.pop_front();
            sent = 10;
            send_left = bit;
        }
        top.p_rx.data[0] = sent ? shift & 1 : 1;
        if (sent && --send_left == 0) {
            shift >>= 1;
            sent--;
            send_left = bit;
        }
#if WEFT_SINGLE_STEP
        top.prev_p_clk.data[0] = 0;
        top.p_clk.data[0] = 1;
        top.eval();
        sample();
        top.latch();
#else
        top.p_clk.data[0] = 0;
        top.step();
        sample();
        top.p_clk.data[0] = 1;
        top.step();
#endif
        cycle++;
    }

    template<size_t N> static bool level(const cxxrtl::value<N> &port) { return port.data[0]; }
    template<size_t N> static bool level(const cxxrtl::wire<N> &port) { return port.curr.data[0]; }

    void sample() {
        bool tx = level(top.p_tx);
        if (!receiving) {
            if (tx)
                return;
            receiving = true;
            bits = 0;
            got = 0;
            receive_left = bit / 2;
        }
        if (receive_left--)
            return;
        receive_left = bit - 1;
        got |= uint32_t(tx) << bits;
        if (++bits < 10)
            return;
        receiving = false;
        if (got >> 9)
            out.push_back(got >> 1 & 0xFF);
        else
            broken++;
    }
};

extern "C" {
Driver *link_create(uint32_t bit) { return new Driver(bit); }
void link_destroy(Driver *driver) { delete driver; }
uint64_t link_cycle(Driver *driver) { return driver->cycle; }
uint64_t link_broken(Driver *driver) { return driver->broken; }

// Hands over `size` bytes to send, runs `cycles` clocks, fetches up to `room` received bytes.
uint64_t link_run(Driver *driver, const uint8_t *data, uint64_t size, uint64_t cycles,
                  uint8_t *received, uint64_t room) {
    driver->in.insert(driver->in.end(), data, data + size);
    while (cycles--)
        driver->clock();
    uint64_t count = 0;
    while (count < room && !driver->out.empty()) {
        received[count++] = driver->out.front();
        driver->out.pop_front();
    }
    return count;
}

uint64_t link_unsent(Driver *driver) { return driver->in.size(); }
}
