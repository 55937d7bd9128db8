/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest physical addresses: 64 bits wide whatever the host is. */
#ifndef EXEC_HWADDR_H
#define EXEC_HWADDR_H

#include <inttypes.h>
#include <stdint.h>

typedef uint64_t hwaddr;

#define HWADDR_BITS 64
#define HWADDR_MAX UINT64_MAX

/* printf conversions: 16 zero-padded hex digits, or the bare letter with its length. */
#define HWADDR_FMT_plx "%016" PRIx64
#define HWADDR_PRId PRId64
#define HWADDR_PRIi PRIi64
#define HWADDR_PRIu PRIu64
#define HWADDR_PRIx PRIx64
#define HWADDR_PRIX PRIX64

#endif
