/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/fuzz_check.h"

static uint64_t hash;

void fuzz_hash_begin(void)
{
    hash = UINT64_C(0xcbf29ce484222325);
}

void fuzz_hash_is(uint64_t number)
{
    hash = number;
}

void fuzz_hash_bytes(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {     /* FNV-1a */
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
    }
}

void fuzz_hash_number(uint64_t number)
{
    fuzz_hash_bytes(&number, sizeof(number));
}

uint64_t fuzz_last_hash(void)
{
    return hash;
}
