#include "weft.h"

#define WINDOW_STEP (WEFT_WINDOW1_BASE - WEFT_WINDOW0_BASE)
#define RESET_POLLS 100000u

static uint32_t get(const struct weft *weft, uint32_t offset)
{
    return weft->read(weft->context, offset);
}

static void put(const struct weft *weft, uint32_t offset, uint32_t value)
{
    weft->write(weft->context, offset, value);
}

/* Processors may ignore the bus error of a rejected write; therefore each write is read back. */
static int set(const struct weft *weft, uint32_t offset, uint32_t value)
{
    if (get(weft, offset) == value)
        return 1;
    put(weft, offset, value);
    return get(weft, offset) == value;
}

static int set_window(const struct weft *weft, size_t index, uint32_t first, uint32_t last,
                      uint32_t permissions)
{
    uint32_t at = (uint32_t)index * WINDOW_STEP;
    uint32_t found = get(weft, WEFT_WINDOW0_CTRL + at) & ~WEFT_WINDOW0_CTRL_LOCK_MASK;

    /* a window that is locked with these values is acceptable */
    return set(weft, WEFT_WINDOW0_BASE + at, first) && set(weft, WEFT_WINDOW0_LAST + at, last) &&
           (found == permissions || set(weft, WEFT_WINDOW0_CTRL + at, permissions));
}

enum weft_result weft_reset(const struct weft *weft)
{
    uint32_t polls;

    put(weft, WEFT_CONTROL, WEFT_CONTROL_SOFT_RESET_MASK);
    for (polls = 0; polls < RESET_POLLS; polls++)
        if (!(get(weft, WEFT_STATUS) & WEFT_STATUS_RESETTING_MASK))
            return WEFT_DONE;
    return WEFT_STUCK;
}

static enum weft_result check(const struct weft *weft, const struct weft_program *program)
{
    uint32_t isa;

    if (get(weft, WEFT_ID) != WEFT_MAGIC)
        return WEFT_ABSENT;
    isa = (get(weft, WEFT_VERSION) & WEFT_VERSION_ISA_MASK) >> WEFT_VERSION_ISA_SHIFT;
    if (isa != WEFT_ISA_VERSION)
        return WEFT_OTHER_ISA;
    if (get(weft, WEFT_CONFIG_HASH) != program->config_hash)
        return WEFT_OTHER_CONFIGURATION;
    if (program->memory_bytes > weft->memory_bytes || program->window_count > WEFT_WINDOWS)
        return WEFT_SMALL_MEMORY;
    return WEFT_DONE;
}

enum weft_result weft_load(const struct weft *weft, const struct weft_program *program)
{
    enum weft_result found = check(weft, program);
    size_t index;
    uint32_t byte;

    if (found != WEFT_DONE)
        return found;
    if (get(weft, WEFT_STATUS) & (WEFT_STATUS_BUSY_MASK | WEFT_STATUS_ERROR_MASK))
        if (weft_reset(weft) != WEFT_DONE)
            return WEFT_STUCK;
    for (index = 0; index < program->blocks; index++) {
        const struct weft_block *block = &program->image[index];

        for (byte = 0; byte < block->size; byte++)
            weft->memory[block->offset + byte] = block->bytes[byte];
    }
    for (index = 0; index < WEFT_WINDOWS; index++) {
        int accepted;

        if (index < program->window_count && program->windows[index].size) {
            const struct weft_window *window = &program->windows[index];
            uint32_t first = weft->memory_base + window->offset;

            accepted = set_window(weft, index, first, first + window->size - 1,
                                  window->permissions);
        } else {
            accepted = set_window(weft, index, 0, 0, 0);
        }
        if (!accepted)
            return WEFT_REFUSED;
    }
    if (!set(weft, WEFT_MEM_BASE, weft->memory_base) || !set(weft, WEFT_PROGRAM_ADDR, 0) ||
        !set(weft, WEFT_PROGRAM_COUNT, program->instructions) ||
        !set(weft, WEFT_WATCHDOG, WEFT_WATCHDOG_CYCLES) ||
        !set(weft, WEFT_IRQ_ENABLE, WEFT_IRQ_ENABLE_DONE_MASK | WEFT_IRQ_ENABLE_ERROR_MASK))
        return WEFT_REFUSED;
    return WEFT_DONE;
}

void weft_start(const struct weft *weft)
{
    put(weft, WEFT_IRQ_STATUS, WEFT_IRQ_STATUS_DONE_MASK | WEFT_IRQ_STATUS_ERROR_MASK);
    put(weft, WEFT_CONTROL, WEFT_CONTROL_CLEAR_COUNTERS_MASK);
    put(weft, WEFT_CONTROL, WEFT_CONTROL_START_MASK);
}

enum weft_result weft_finished(const struct weft *weft)
{
    uint32_t status = get(weft, WEFT_STATUS);

    if (status & WEFT_STATUS_BUSY_MASK)
        return WEFT_RUNNING;
    put(weft, WEFT_IRQ_STATUS, WEFT_IRQ_STATUS_DONE_MASK | WEFT_IRQ_STATUS_ERROR_MASK);
    return status & WEFT_STATUS_DONE_MASK ? WEFT_DONE : WEFT_FAILED;
}

enum weft_result weft_wait(const struct weft *weft, uint32_t polls)
{
    enum weft_result found;

    do
        found = weft_finished(weft);
    while (found == WEFT_RUNNING && polls-- > 0);
    return found;
}

void weft_error(const struct weft *weft, struct weft_error *error)
{
    uint32_t word = get(weft, WEFT_ERROR_CODE);

    error->code = (word & WEFT_ERROR_CODE_CODE_MASK) >> WEFT_ERROR_CODE_CODE_SHIFT;
    error->unit = (word & WEFT_ERROR_CODE_UNIT_MASK) >> WEFT_ERROR_CODE_UNIT_SHIFT;
    error->index = get(weft, WEFT_ERROR_INDEX);
    error->address = get(weft, WEFT_ERROR_ADDR);
    error->waits = get(weft, WEFT_WAITS);
}

uint32_t weft_counter(const struct weft *weft, uint32_t counter)
{
    put(weft, WEFT_CONTROL, WEFT_CONTROL_SNAPSHOT_MASK);
    return get(weft, counter);
}
