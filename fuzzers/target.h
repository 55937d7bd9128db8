/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a fuzz target defines; engines, the replayer and the dictionary maker use it. */
#ifndef FUZZERS_TARGET_H
#define FUZZERS_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* One input.  Returns 0 always (other values mean different things to different engines). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A digest of all that the last input made happen: equal inputs, equal digests, or something is not deterministic. */
uint64_t fuzz_last_hash(void);

/* Only targets whose inputs are traces have it: the replayer must not take the text of one for an input. */
extern const char fuzz_plays_traces;

#endif
