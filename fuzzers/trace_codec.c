/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   The trace language's two forms against each other, and hostile text.  The
 *   first byte chooses: a letter, `#` or white space, as texts start, makes the
 *   input a text; anything else makes it a binary trace.  No core is involved.
 *
 * Invariants:
 *   binary  any bytes decode, to a canonical trace; encode and decode give it
 *           back; encoding is then a fixed point and stays within its buffer
 *   both    what is printed parses back to the same trace, in whole and
 *           step by step; a short buffer is never written past
 *   text    a broken text leaves an empty trace and names a line and column
 *           inside it (or just behind its end) with a one-line message
 */
#include <ctype.h>

#include "target.h"
#include "trace/trace.h"
#include "trace_codec_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace t;
    struct trace_error error = { 0 };

    codec_check_begin();
    trace_init(&t);
    if (size && (isalpha(data[0]) || isspace(data[0]) || data[0] == '#')) {
        if (trace_parse(&t, (const char *)data, size, &error)) {
            codec_check_trace(&t);
        } else {
            codec_check_error(&t, (const char *)data, size, &error);
        }
    } else {
        trace_decode(&t, data, size);
        codec_check_trace(&t);
    }
    trace_free(&t);
    return 0;
}
