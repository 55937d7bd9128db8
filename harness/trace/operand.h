/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an operand type means: the one place that knows.  Used by codec and text form only. */
#ifndef HARNESS_TRACE_OPERAND_H
#define HARNESS_TRACE_OPERAND_H

#include "trace/table.h"

/*
 * Store `raw` in the slot, brought into the type's range; objects and words
 * count modulo what there is, sets of words lose unknown bits.
 * For TRACE_KIND_VALUE this is the absolute value.
 */
void operand_store(struct trace_step *step, enum trace_slot slot, const struct trace_operand_type *type,
                   uint64_t raw);
uint64_t operand_load(const struct trace_step *step, enum trace_slot slot);

/* The v or w of a step. */
struct trace_value *operand_value(struct trace_step *step, enum trace_slot slot);

/* Bring a value of type kind TRACE_KIND_VALUE into its range and clear the members its mode does not use. */
void operand_canonicalize_value(struct trace_value *value, const struct trace_operand_type *type);

/* Eight bytes and three mode bits of a binary record, as a number (binary-only modes become absolute). */
struct trace_value operand_value_from_bits(unsigned mode, uint64_t bits);
uint64_t operand_value_to_bits(const struct trace_value *value);

/* Text of the operand, at least OPERAND_TEXT_MAX bytes of buffer.  Returns its length. */
enum { OPERAND_TEXT_MAX = 320 };
size_t operand_print(const struct trace_step *step, enum trace_slot slot,
                     const struct trace_operand_type *type, char *buffer);

/*
 * Parse one word.  On failure returns false, error->message says what was
 * expected and error->column is *increased* by the place within the word.
 */
bool operand_parse(struct trace_step *step, enum trace_slot slot, const struct trace_operand_type *type,
                   const char *word, size_t length, struct trace_error *error);

/* What `type` accepts, for messages and the operations page: "r0 to r1023", "off or on", ... */
void operand_describe(const struct trace_operand_type *type, char *buffer, size_t capacity);

#endif
