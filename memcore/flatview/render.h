/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MEMCORE_FLATVIEW_RENDER_H
#define MEMCORE_FLATVIEW_RENDER_H

#include "flatview/run.h"

/*
 * What addresses [0, 2^64) show of the tree below `root`, whose byte 0 lies at
 * `base` (R-FV-1, R-FV-2).  Neighbouring runs may still continue each other.
 */
RunList render(RunPool *pool, MemoryRegion *root, hwaddr base);

#endif
