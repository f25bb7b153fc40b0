/*
 * A driver for Weft in C99: puts a program into memory, starts it, waits, and says what went wrong.
 *
 * It needs nothing of an operating system, and no memory of its own. Offsets, fields and error
 * codes come from weft_regs.h, which scripts/generate_header.py makes from the register table.
 *
 *     weft_load(&device, &program);       once; again only if the memory was changed
 *     copy the inputs to device.memory
 *     weft_start(&device);
 *     weft_wait(&device, polls);          or weft_finished() in an interrupt handler
 *     forget what the data cache holds of device.memory, then read the outputs there
 */
#ifndef WEFT_H
#define WEFT_H

#include <stddef.h>
#include <stdint.h>

#include "weft_regs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One Weft and the memory that its program lives in. */
struct weft {
    /* Read and write the 32-bit register at a byte offset of s_axil. */
    uint32_t (*read)(void *context, uint32_t offset);
    void (*write)(void *context, uint32_t offset, uint32_t value);
    void *context;
    uint8_t *memory;        /* as the processor sees it */
    uint32_t memory_base;   /* the same byte as m_axi sees it, a multiple of 32 */
    uint32_t memory_bytes;
};

/* Bytes that belong at an offset of the memory. */
struct weft_block {
    uint32_t offset;
    uint32_t size;
    const uint8_t *bytes;
};

/* Where Weft may read (WEFT_WINDOW0_CTRL_READ_MASK) or write (WEFT_WINDOW0_CTRL_WRITE_MASK). */
struct weft_window {
    uint32_t offset;
    uint32_t size;
    uint32_t permissions;
};

struct weft_program {
    uint32_t config_hash;           /* of the configuration that it was compiled for */
    uint32_t instructions;          /* how many; they lie at offset 0 */
    uint32_t memory_bytes;          /* what it needs */
    const struct weft_block *image; /* instructions and constants */
    size_t blocks;
    const struct weft_window *windows;
    size_t window_count;
};

enum weft_result {
    WEFT_DONE = 0,              /* every result is in memory */
    WEFT_RUNNING,               /* not yet */
    WEFT_ABSENT,                /* the ID register says something else */
    WEFT_OTHER_ISA,             /* weft_regs.h is of another version of the instruction set */
    WEFT_OTHER_CONFIGURATION,   /* the program was compiled for another configuration */
    WEFT_SMALL_MEMORY,          /* the program needs more memory, or more windows */
    WEFT_REFUSED,               /* a register did not take its value: a locked window? */
    WEFT_STUCK,                 /* host memory owes an answer, so that no soft reset ends */
    WEFT_FAILED                 /* the program stopped: see weft_error() */
};

/* The first error of a program. */
struct weft_error {
    uint32_t code;      /* WEFT_ERROR_... */
    uint32_t unit;      /* WEFT_UNIT_... */
    uint32_t index;     /* of the instruction */
    uint32_t address;   /* that it met */
    uint32_t waits;     /* who waited for what, as in register WAITS */
};

/* Cycles without progress after which Weft stops a program. */
#define WEFT_WATCHDOG_CYCLES 100000u

enum weft_result weft_load(const struct weft *weft, const struct weft_program *program);

/* Starts what was loaded; with an interrupt at its end. Counters begin at zero. */
void weft_start(const struct weft *weft);

/* Takes the interrupt back; returns WEFT_RUNNING, WEFT_DONE or WEFT_FAILED. */
enum weft_result weft_finished(const struct weft *weft);

/* Asks weft_finished() until it is, at most this often. */
enum weft_result weft_wait(const struct weft *weft, uint32_t polls);

void weft_error(const struct weft *weft, struct weft_error *error);

/* Stops a program; memories and registers keep what they hold. WEFT_DONE or WEFT_STUCK. */
enum weft_result weft_reset(const struct weft *weft);

/* A performance counter, WEFT_COUNTER_..., of the last program. */
uint32_t weft_counter(const struct weft *weft, uint32_t counter);

#ifdef __cplusplus
}
#endif

#endif
