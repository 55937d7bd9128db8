/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mutation and splicing for libFuzzer. */
#include <stddef.h>
#include <stdint.h>

#include "mutate/mutate.h"
#include "run/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t used, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *input, size_t used, size_t room, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other, size_t other_size,
                                 uint8_t *result, size_t room, unsigned int seed);

/* Every BYTES-th mutation is the engine's own: it knows the operands of comparisons, and keeps the decoder honest. */
enum { BYTES = 5 };

size_t LLVMFuzzerCustomMutator(uint8_t *input, size_t used, size_t room, unsigned int seed)
{
    return seed % BYTES ? mutate_trace(input, used, room, seed, fuzz_groups_allowed())
                        : LLVMFuzzerMutate(input, used, room);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other, size_t other_size,
                                 uint8_t *result, size_t room, unsigned int seed)
{
    return mutate_splice(one, one_size, other, other_size, result, room, seed);
}
