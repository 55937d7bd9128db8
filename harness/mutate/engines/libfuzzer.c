/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mutation and splicing for libFuzzer. */
#include <stddef.h>
#include <stdint.h>

#include "mutate/mutate.h"
#include "run/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_out_size, unsigned int seed);

/* Every BYTES-th mutation is the engine's own: it knows the operands of comparisons, and keeps the decoder honest. */
enum { BYTES = 5 };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    if (seed % BYTES == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    return mutate_trace(data, size, max_size, seed, fuzz_groups_allowed());
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_out_size, unsigned int seed)
{
    return mutate_splice(data1, size1, data2, size2, out, max_out_size, seed);
}
