/*
 * C99 driver for Weft: it loads a program, starts it, waits for its end, and reports errors.
 *
 * It needs neither an operating system nor memory of its own. Offsets, fields and error codes come
 * from weft_regs.h, which scripts/generate_header.py generates from the register table.
 *
 *     weft_load(&device, &program);       once; again only if the memory was changed
 *     copy the inputs to device.memory
 *     weft_start(&device);
 *     weft_wait(&device, polls);          or weft_finished() in an interrupt handler
 *     invalidate device.memory in the data cache, then read the outputs there
 */
#ifndef WEFT_H
#define WEFT_H

#include <stddef.h>
#include <stdint.h>

#include "weft_regs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A Weft and the memory of its program. */
struct weft {
    /* Read and write the 32-bit register at a byte offset of s_axil. */
    uint32_t (*read)(void *context, uint32_t offset);
    void (*write)(void *context, uint32_t offset, uint32_t value);
    void *context;
    uint8_t *memory;        /* address for the processor */
    uint32_t memory_base;   /* address for m_axi, a multiple of 32 */
    uint32_t memory_bytes;
};

/* Contents of a part of the memory. */
struct weft_block {
    uint32_t offset;
    uint32_t size;
    const uint8_t *bytes;
};

/* Region with permissions WEFT_WINDOW0_CTRL_READ_MASK and WEFT_WINDOW0_CTRL_WRITE_MASK. */
struct weft_window {
    uint32_t offset;
    uint32_t size;
    uint32_t permissions;
};

struct weft_program {
    uint32_t config_hash;           /* fingerprint of its configuration */
    uint32_t instructions;          /* number of instructions; they are at offset 0 */
    uint32_t memory_bytes;          /* required memory */
    const struct weft_block *image; /* instructions and constants */
    size_t blocks;
    const struct weft_window *windows;
    size_t window_count;
};

enum weft_result {
    WEFT_DONE = 0,              /* all results are in memory */
    WEFT_RUNNING,               /* the program is not done yet */
    WEFT_ABSENT,                /* the ID register has another value */
    WEFT_OTHER_ISA,             /* weft_regs.h has another version of the instruction set */
    WEFT_OTHER_CONFIGURATION,   /* the program was compiled for another configuration */
    WEFT_SMALL_MEMORY,          /* the program needs more memory, or more windows */
    WEFT_REFUSED,               /* a register did not accept its value, as in a locked window */
    WEFT_STUCK,                 /* a response of host memory is missing: soft reset never ends */
    WEFT_FAILED                 /* the program stopped: see weft_error() */
};

/* The first error of a program. */
struct weft_error {
    uint32_t code;      /* WEFT_ERROR_... */
    uint32_t unit;      /* WEFT_UNIT_... */
    uint32_t index;     /* index of the instruction */
    uint32_t address;   /* address of the error */
    uint32_t waits;     /* register WAITS: what each unit waited for */
};

/* Cycles without progress after which Weft stops a program. */
#define WEFT_WATCHDOG_CYCLES 100000u

enum weft_result weft_load(const struct weft *weft, const struct weft_program *program);

/* Start the loaded program, with an interrupt at its end. Counters start at zero. */
void weft_start(const struct weft *weft);

/* Clear the interrupt; return WEFT_RUNNING, WEFT_DONE or WEFT_FAILED. */
enum weft_result weft_finished(const struct weft *weft);

/* Poll weft_finished() until the program ends, at most polls times. */
enum weft_result weft_wait(const struct weft *weft, uint32_t polls);

void weft_error(const struct weft *weft, struct weft_error *error);

/* Stop a program without changing memories or registers; return WEFT_DONE or WEFT_STUCK. */
enum weft_result weft_reset(const struct weft *weft);

/* Return a performance counter, WEFT_COUNTER_..., of the last program. */
uint32_t weft_counter(const struct weft *weft, uint32_t counter);

#ifdef __cplusplus
}
#endif

#endif
