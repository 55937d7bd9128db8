/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/allocation.h"

#include <stdbool.h>

/* sanitizer/allocator_interface.h, which gcc's packages do not always have. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *)) __attribute__((weak));
size_t __sanitizer_get_allocated_size(const volatile void *place) __attribute__((weak));

static struct {
    bool on;
    size_t now, most;
} watch;

static void on_malloc(const volatile void *place, size_t size)
{
    (void)place;
    if (watch.on) {
        watch.now += size;
        watch.most = watch.most > watch.now ? watch.most : watch.now;
    }
}

static void on_free(const volatile void *place)
{
    if (watch.on && place) {
        const size_t size = __sanitizer_get_allocated_size(place);

        watch.now -= size < watch.now ? size : watch.now;
    }
}

void allocation_watch_begin(void)
{
    static bool installed;

    if (!installed && __sanitizer_install_malloc_and_free_hooks) {
        __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
    }
    installed = true;
    watch.now = watch.most = 0;
    watch.on = true;
}

size_t allocation_watch_end(void)
{
    watch.on = false;
    return watch.most;
}
