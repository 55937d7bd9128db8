/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include "exec/memory.h"
#include "memcore/memcore.h"
int main(void)
{
    MemoryRegion device;
    memcore_init(MEMCORE_RECLAIM_MANUAL);
    memory_region_init_io(&device, NULL, NULL, NULL, "device", 0x1000);
    printf("memcore %s: a region of %" PRIu64 " bytes\n", MEMCORE_VERSION, memory_region_size(&device));
    object_unparent(OBJECT(&device));
    return 0;
}
