/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is this memory all zero?  The test that decides whether a page goes into a file at all. */
#ifndef MEMCORE_MIGRATION_ZERO_PAGE_H
#define MEMCORE_MIGRATION_ZERO_PAGE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether all bytes are 0.  The memory may change meanwhile: then either answer.  Any
 * alignment and length; fastest for whole pages.
 */
bool zero_page_test(const void *memory, size_t length);

#endif
