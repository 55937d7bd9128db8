/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the programs that emit-c writes speak: what they say, and what they expect to have said. */
#ifndef HARNESS_EMIT_TEXT_H
#define HARNESS_EMIT_TEXT_H

#include <stdio.h>

#include "model/observation.h"

/* As a C string, a line of text a line. */
void emit_literal(FILE *out, const char *text);
void emit_size(FILE *out, wide size);
/* A region, and an offset in it. */
void emit_place(FILE *out, int region, uint64_t offset);
/* As say_section() of the programs says it. */
void emit_section(FILE *out, const struct observed_section *s);
/* A MemTxAttrs, by a word of the trace. */
void emit_attrs(FILE *out, unsigned word);
/* The program must have said `text`, which is freed. */
void emit_expect(FILE *out, const char *what, char *text);

#endif
