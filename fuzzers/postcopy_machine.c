/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <unistd.h>

#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "postcopy_play.h"
#include "qapi/error.h"
#include "run/subject.h"
#include "target.h"

struct postcopy_machine machine;
const char *const postcopy_names[BLOCKS] = { "ram", "vram" };

bool postcopy_warm_up(void)
{
    static MemoryRegion mr[BLOCKS];
    static const unsigned pages[BLOCKS] = { 24, 5 };

    subject_start();
    machine.page_size = (size_t)sysconf(_SC_PAGESIZE);
    if (TARGET_PAGE_SIZE > machine.page_size) {
        return false;
    }
    for (unsigned b = 0; b < BLOCKS; b++) {
        memory_region_init_ram(&mr[b], NULL, postcopy_names[b], pages[b] * machine.page_size, &error_abort);
        machine.block[b] = mr[b].ram_block;
        machine.pages[b] = pages[b];
    }
    return true;
}

const uint8_t *next_step(Steps *steps)
{
    const uint8_t *step = steps->at;

    if (steps->left == 0) {
        return NULL;
    }
    steps->at += 4;
    steps->left--;
    return step;
}

bool postcopy_place_of(const void *address, int *block, unsigned *page)
{
    for (int b = 0; b < BLOCKS; b++) {
        const uintptr_t offset = (uintptr_t)address - (uintptr_t)machine.block[b]->host;

        if (offset < machine.pages[b] * machine.page_size) {
            *block = b;
            *page = (unsigned)(offset / machine.page_size);
            return true;
        }
    }
    return false;
}
