/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For programs that are built with CONFIG_FUZZ and do not define it (R-FUZ-1). */
#include "exec/memory.h"

#ifdef CONFIG_FUZZ
__attribute__((weak)) void fuzz_dma_read_cb(size_t addr, size_t len, MemoryRegion *mr)
{
    (void)addr;
    (void)len;
    (void)mr;
}
#endif
