// Driver of a compiled design whose only data pins are a serial line (8 data bits, no parity, one
// stop bit).
#include WEFT_DESIGN
#include <cstdint>
#include <deque>

class Driver {
    WEFT_TOP top;
    uint32_t bit;                       // clock cycles per bit

    // transmitter: ten bits of the current byte, lowest first
    uint32_t shift = 0, bits_to_send = 0, send_left = 0;
    // receiver: counts down to the middle of the next bit
    uint32_t received_bits = 0, bits = 0, receive_left = 0;
    bool receiving = false;

public:
    std::deque<uint8_t> in, out;
    uint64_t cycle = 0, broken = 0;     // broken: received bytes without a stop bit

    explicit Driver(uint32_t bit) : bit(bit) {
        top.p_rx.data[0] = 1;
    }

    void clock() {
        if (!bits_to_send && !in.empty()) {
            shift = uint32_t(in.front()) << 1 | 0x200;
            in.pop_front();
            bits_to_send = 10;
            send_left = bit;
        }
        top.p_rx.data[0] = bits_to_send ? shift & 1 : 1;
        if (bits_to_send && --send_left == 0) {
            shift >>= 1;
            bits_to_send--;
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
            received_bits = 0;
            receive_left = bit / 2;
        }
        if (receive_left--)
            return;
        receive_left = bit - 1;
        received_bits |= uint32_t(tx) << bits;
        if (++bits < 10)
            return;
        receiving = false;
        if (received_bits >> 9)
            out.push_back(received_bits >> 1 & 0xFF);
        else
            broken++;
    }
};

extern "C" {
Driver *link_create(uint32_t bit) { return new Driver(bit); }
void link_destroy(Driver *driver) { delete driver; }
uint64_t link_cycle(Driver *driver) { return driver->cycle; }
uint64_t link_broken(Driver *driver) { return driver->broken; }

// Queues `size` bytes to send, runs `cycles` clock cycles and returns up to `capacity` received
// bytes.
uint64_t link_run(Driver *driver, const uint8_t *data, uint64_t size, uint64_t cycles,
                  uint8_t *received, uint64_t capacity) {
    driver->in.insert(driver->in.end(), data, data + size);
    while (cycles--)
        driver->clock();
    uint64_t count = 0;
    while (count < capacity && !driver->out.empty()) {
        received[count++] = driver->out.front();
        driver->out.pop_front();
    }
    return count;
}

uint64_t link_unsent(Driver *driver) { return driver->in.size(); }
}
