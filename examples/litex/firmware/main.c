/*
 * Run the program in weft_program.h on Weft, once with the interrupt and once by polling, and
 * compare every byte of the outputs with weft_program.h. Then end the simulation.
 */
#include <stdio.h>

#include <generated/csr.h>
#include <generated/mem.h>
#include <generated/soc.h>
#include <irq.h>
#include <libbase/uart.h>
#include <system.h>

#include "weft.h"
#include "weft_program.h"

#define POLLS 1000000u
#define UNWRITTEN 0xA5u

static uint8_t memory[WEFT_PROGRAM_MEMORY_BYTES] __attribute__((section(".weft"), aligned(4096)));
static volatile enum weft_result interrupt_result;

static uint32_t read_register(void *context, uint32_t offset)
{
    (void)context;
    return *(volatile uint32_t *)(WEFT_BASE + offset);
}

static void write_register(void *context, uint32_t offset, uint32_t value)
{
    (void)context;
    *(volatile uint32_t *)(WEFT_BASE + offset) = value;
}

static struct weft device = {read_register, write_register, NULL, memory, 0, sizeof memory};

static void on_interrupt(void)
{
    interrupt_result = weft_finished(&device);
}

static enum weft_result wait_for_interrupt(void)
{
    uint32_t polls = POLLS;

    while (interrupt_result == WEFT_RUNNING && polls-- > 0)
        ;
    return interrupt_result;
}

static void copy_inputs(void)
{
    for (size_t index = 0; index < WEFT_PROGRAM_INPUTS; index++)
        for (uint32_t byte = 0; byte < weft_inputs[index].size; byte++)
            memory[weft_inputs[index].offset + byte] = weft_inputs[index].bytes[byte];
}

static void overwrite_outputs(void)
{
    for (size_t index = 0; index < WEFT_PROGRAM_OUTPUTS; index++)
        for (uint32_t byte = 0; byte < weft_outputs[index].size; byte++)
            memory[weft_outputs[index].offset + byte] = UNWRITTEN;
}

static unsigned expected_bytes(void)
{
    unsigned count = 0;

    for (size_t index = 0; index < WEFT_PROGRAM_OUTPUTS; index++)
        count += weft_outputs[index].size;
    return count;
}

/* Count the bytes that differ from the expected ones, and print the first if verbose. */
static unsigned wrong_bytes(int verbose)
{
    unsigned wrong = 0;

    for (size_t index = 0; index < WEFT_PROGRAM_OUTPUTS; index++) {
        const struct weft_block *output = &weft_outputs[index];

        for (uint32_t byte = 0; byte < output->size; byte++) {
            int found = (int8_t)memory[output->offset + byte];
            int expected = (int8_t)output->bytes[byte];

            if (found != expected && wrong++ == 0 && verbose)
                printf("output %u, byte %u: expected %d, found %d\n", (unsigned)index,
                       (unsigned)byte, expected, found);
        }
    }
    return wrong;
}

static int run(const char *how, int with_interrupt)
{
    unsigned count = expected_bytes();
    enum weft_result result;
    unsigned wrong;

    copy_inputs();
    overwrite_outputs();
    wrong = wrong_bytes(0);     /* also loads the old bytes into the data cache */
    printf("%s: before, %u of %u bytes differ\n", how, wrong, count);
    if (wrong == 0)
        return 0;

    interrupt_result = WEFT_RUNNING;
    irq_setmask(with_interrupt ? irq_getmask() | (1u << WEFT_INTERRUPT)
                               : irq_getmask() & ~(1u << WEFT_INTERRUPT));
    weft_start(&device);
    result = with_interrupt ? wait_for_interrupt() : weft_wait(&device, POLLS);
    if (result != WEFT_DONE) {
        struct weft_error error;

        weft_error(&device, &error);
        printf("%s: result %d, error %u of unit %u, instruction %u, address %08x, waits %08x\n",
               how, (int)result, (unsigned)error.code, (unsigned)error.unit,
               (unsigned)error.index, (unsigned)error.address, (unsigned)error.waits);
        return 0;
    }
    flush_cpu_dcache();         /* the cache does not observe Weft's writes */
    flush_l2_cache();
    wrong = wrong_bytes(1);
    printf("%s: after, %u of %u bytes differ, %u cycles, %u of them waiting for memory\n", how,
           wrong, count, (unsigned)weft_counter(&device, WEFT_COUNTER_CYCLES),
           (unsigned)weft_counter(&device, WEFT_COUNTER_LOAD_WAIT_MEMORY));
    return wrong == 0;
}

static int run_all(void)
{
    enum weft_result result;

    device.memory_base = (uint32_t)(uintptr_t)memory;
    result = weft_load(&device, &weft_program);
    if (result != WEFT_DONE) {
        printf("the program could not be loaded: result %d\n", (int)result);
        return 0;
    }
    printf("weft at %08x, configuration %08x, %u instructions, memory at %08x\n",
           (unsigned)WEFT_BASE, (unsigned)weft_program.config_hash,
           (unsigned)weft_program.instructions, (unsigned)device.memory_base);
    irq_attach(WEFT_INTERRUPT, on_interrupt);
    weft_ev_enable_write(1u << CSR_WEFT_EV_ENABLE_FINISHED_OFFSET);
    return run("with interrupt", 1) && run("by polling", 0);
}

int main(void)
{
    irq_setmask(0);
    irq_setie(1);
    uart_init();
    printf("\n");
    if (run_all())
        printf("bit-exact: %u bytes, twice\n", expected_bytes());
    else
        printf("not bit-exact\n");
    uart_sync();
    sim_finish_finish_write(1);
    while (1)
        ;
}
