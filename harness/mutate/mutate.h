/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mutation of binary traces by what they mean: steps are inserted, removed,
 * moved and repeated whole, operands change within their type, addresses go to
 * the edges of regions that the trace has, and now and then an input loses a
 * group of operations (swarm testing: a bug is easier to meet where fewer
 * operations are in play).
 *
 * Pure: the same arguments give the same bytes, in every process and for both
 * engines; engines/ has the two shims.  Not for threads: memory is reused.
 */
#ifndef HARNESS_MUTATE_MUTATE_H
#define HARNESS_MUTATE_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Mutates `size` bytes in place, which become at most `max`; returns how many.
 * The result is canonical binary form (trace/trace.h).  It uses no group of
 * operations but the input's and those in `groups`, a set of bits.
 */
size_t mutate_trace(uint8_t *data, size_t size, size_t max, uint32_t seed, uint32_t groups);

/* Steps of both, in their order, into `out`; returns its size.  Uses the groups of both. */
size_t mutate_splice(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size,
                     uint8_t *out, size_t max, uint32_t seed);

/*
 * For trimming: the input without `count` steps from step `from`; `out` has
 * room for `size` bytes.  mutate_steps says how many there are.
 */
size_t mutate_without(const uint8_t *data, size_t size, size_t from, size_t count, uint8_t *out);
size_t mutate_steps(const uint8_t *data, size_t size);

#endif
