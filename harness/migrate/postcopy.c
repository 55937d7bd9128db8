/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migrate/postcopy.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migrate/postcopy_parts.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "run/subject.h"

struct postcopy_machine guest;
const char *const postcopy_names[BLOCKS] = { "ram", "vram" };
static const unsigned pages_at_first[BLOCKS] = { 24, 5 };

bool postcopy_warm_up(void)
{
    static const struct subject_manager_hooks never_busy;
    static MemoryRegion root, mr[BLOCKS];

    subject_start();
    guest.page_size = (size_t)sysconf(_SC_PAGESIZE);
    if (TARGET_PAGE_SIZE > guest.page_size) {
        return false;
    }
    memory_region_init_resizeable_ram(&mr[0], NULL, postcopy_names[0], pages_at_first[0] * guest.page_size,
                                      POSTCOPY_MODEL_PAGES_MAX * guest.page_size, NULL, &error_abort);
    qemu_ram_set_idstr(mr[0].ram_block, postcopy_names[0], NULL);
    qemu_ram_set_migratable(mr[0].ram_block);
    memory_region_init_ram(&mr[1], NULL, postcopy_names[1], pages_at_first[1] * guest.page_size, &error_abort);
    for (unsigned b = 0; b < BLOCKS; b++) {
        guest.block[b] = mr[b].ram_block;
        guest.pages[b] = pages_at_first[b];
    }
    guest.manager = subject_manager_new(&mr[PLUGGED], guest.page_size, &never_busy, &error_abort);
    guest.absent[PLUGGED] = UINT32_MAX;
    postcopy_plug(0);
    /* Only a region that is mapped has its manager asked. */
    memory_region_init(&root, NULL, "root", UINT64_MAX);
    memory_region_add_subregion(&root, 0, &mr[PLUGGED]);
    return true;
}

void postcopy_plug(uint32_t absent)
{
    if (absent != guest.absent[PLUGGED]) {
        REQUIRE(subject_manager_load(guest.manager, ~(uint64_t)absent) == 0, "pages cannot be unplugged");
        guest.absent[PLUGGED] = absent;
    }
}

void postcopy_resize(unsigned pages)
{
    qemu_mutex_lock_iothread();
    REQUIRE(qemu_ram_resize(guest.block[0], pages * guest.page_size, NULL) == 0, "a block cannot be resized");
    qemu_mutex_unlock_iothread();
}

const uint8_t *postcopy_next_step(PostcopySteps *steps)
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
        const uintptr_t offset = (uintptr_t)address - (uintptr_t)guest.block[b]->host;

        if (offset < guest.pages[b] * guest.page_size) {
            *block = b;
            *page = (unsigned)(offset / guest.page_size);
            return true;
        }
    }
    return false;
}

/* What the core keeps from input to input is the same before each: dirty pages, and which block was found last. */
static void leave_no_trace(void)
{
    postcopy_plug(0);
    guest.pages[0] = pages_at_first[0];
    qemu_ram_resize(guest.block[0], guest.pages[0] * guest.page_size, &error_abort);
    for (unsigned b = BLOCKS; b-- > 0;) {
        RAMBlock *block = guest.block[b];

        cpu_physical_memory_clear_dirty_range(block->offset, block->used_length);
    }
    (void)qemu_map_ram_ptr(NULL, guest.block[0]->offset);
}

void postcopy_play(const uint8_t *data, size_t size)
{
    PostcopySteps steps;

    if (size < 4) {
        return;
    }
    steps.at = data + 4;
    steps.left = MIN((size - 4) / 4, POSTCOPY_STEPS_MAX);
    memcpy(steps.parameters, data, 4);
    fuzz_hash_begin();
    if (steps.parameters[0] & 1) {
        postcopy_play_source(&steps);
    } else {
        postcopy_play_destination(&steps);
    }
    leave_no_trace();
}
