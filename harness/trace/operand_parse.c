/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One word of text into an operand.  The words come from anywhere and may hold any byte but blanks. */
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "trace/operand.h"
#include "trace/spelling.h"

/* `at` is the place within the word. */
static bool __attribute__((format(printf, 3, 4)))
fail(struct trace_error *error, size_t at, const char *format, ...)
{
    va_list arguments;

    error->column += (unsigned)at;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
    return false;
}

static bool fail_expected(struct trace_error *error, const struct trace_operand_type *type, const char *word,
                          size_t length)
{
    char expected[sizeof(error->message)];
    char quoted[SPELLING_QUOTED];

    operand_describe(type, expected, sizeof(expected) - SPELLING_QUOTED - sizeof("expected , not "));
    return fail(error, 0, "expected %s, not %s", expected, spelling_quote(quoted, word, length));
}

static bool starts_with(const char *word, size_t length, const char *prefix)
{
    size_t prefix_length = strlen(prefix);

    return length >= prefix_length && memcmp(word, prefix, prefix_length) == 0;
}

static bool equals(const char *word, size_t length, const char *other)
{
    return length == strlen(other) && memcmp(word, other, length) == 0;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/*
 * Decimal or 0x; the whole word.  A leading zero is refused: some readers would
 * take 010 for eight.
 */
static bool parse_number(const char *word, size_t length, uint64_t *number, struct trace_error *error,
                         size_t at)
{
    char quoted[SPELLING_QUOTED];
    bool hexadecimal = starts_with(word, length, "0x") || starts_with(word, length, "0X");
    unsigned base = hexadecimal ? 16 : 10;
    size_t i = hexadecimal ? 2 : 0;

    if (i == length || (length > 1 && word[0] == '0' && !hexadecimal)) {
        return fail(error, at, "expected a decimal or 0x number, not %s",
                    spelling_quote(quoted, word, length));
    }
    *number = 0;
    for (; i < length; i++) {
        int digit = digit_value(word[i]);

        if (digit >= (int)base) {
            return fail(error, at, "expected a decimal or 0x number, not %s",
                        spelling_quote(quoted, word, length));
        }
        if (__builtin_mul_overflow(*number, (uint64_t)base, number) ||
            __builtin_add_overflow(*number, (uint64_t)digit, number)) {
            return fail(error, at, "%s does not fit 64 bits", spelling_quote(quoted, word, length));
        }
    }
    return true;
}

/* "r17"; slots of an object are decimal and have no leading zeros, so that a name has one spelling. */
static bool parse_slot(const char *letter, uint32_t slots, const char *word, size_t length, uint32_t *slot)
{
    size_t i = strlen(letter);
    uint64_t number = 0;

    if (!starts_with(word, length, letter) || i == length || length - i > 9 ||
        (word[i] == '0' && i + 1 < length)) {
        return false;
    }
    for (; i < length; i++) {
        if (word[i] < '0' || word[i] > '9') {
            return false;
        }
        number = number * 10 + (unsigned)(word[i] - '0');
    }
    *slot = (uint32_t)number;
    return number < slots;
}

bool trace_parse_object(const char *text, const char *letter, unsigned *slot)
{
    for (size_t i = 0; i < TRACE_TYPE_COUNT; i++) {
        const struct trace_operand_type *type = &trace_operand_types[i];

        if (type->letter && strcmp(type->letter, letter) == 0) {
            uint32_t number;

            if (!parse_slot(letter, type->slots, text, strlen(text), &number)) {
                return false;
            }
            *slot = number;
            return true;
        }
    }
    return false;
}

/* What follows the closing bracket of "end(r1)-0x10". */
static bool parse_delta(struct trace_value *value, const char *word, size_t length, struct trace_error *error,
                        size_t at)
{
    char quoted[SPELLING_QUOTED];
    uint64_t number;

    if (length == 0) {
        return true;
    }
    if (word[0] != '+' && word[0] != '-') {
        return fail(error, at, "expected +N or -N after the edge, not %s",
                    spelling_quote(quoted, word, length));
    }
    if (!parse_number(word + 1, length - 1, &number, error, at + 1)) {
        return false;
    }
    if (number > (word[0] == '-' ? 0x8000u : 0x7fffu)) {
        return fail(error, at, "the distance from an edge is -0x8000 to 0x7fff, not %s",
                    spelling_quote(quoted, word, length));
    }
    value->delta = word[0] == '-' ? -(int32_t)number : (int32_t)number;
    return true;
}

/* "end(r1)-0x10", `prefix` characters of which are the edge's name and the bracket. */
static bool parse_edge(struct trace_value *value, enum trace_value_mode mode, size_t prefix, const char *word,
                       size_t length, struct trace_error *error)
{
    const struct trace_operand_type *region = &trace_operand_types[TRACE_TYPE_region];
    const char *close = memchr(word, ')', length);
    char expected[40], quoted[SPELLING_QUOTED];
    uint32_t slot;

    if (!close) {
        return fail(error, length, "expected ')'");
    }
    if (!parse_slot(region->letter, region->slots, word + prefix, (size_t)(close - word) - prefix, &slot)) {
        operand_describe(region, expected, sizeof(expected));
        return fail(error, prefix, "expected %s, not %s", expected,
                    spelling_quote(quoted, word + prefix, (size_t)(close - word) - prefix));
    }
    *value = (struct trace_value){ .mode = (uint8_t)mode, .region = (uint16_t)slot };
    close++;
    return parse_delta(value, close, length - (size_t)(close - word), error, (size_t)(close - word));
}

static bool parse_value(struct trace_value *value, const struct trace_operand_type *type, const char *word,
                        size_t length, struct trace_error *error)
{
    uint64_t number;

    if (starts_with(word, length, "start(")) {
        return parse_edge(value, TRACE_VALUE_START, strlen("start("), word, length, error);
    }
    if (starts_with(word, length, "end(")) {
        return parse_edge(value, TRACE_VALUE_END, strlen("end("), word, length, error);
    }
    if (starts_with(word, length, "size(")) {
        return parse_edge(value, TRACE_VALUE_SIZE, strlen("size("), word, length, error);
    }
    if (length == 0 || word[0] < '0' || word[0] > '9') {
        return fail_expected(error, type, word, length);
    }
    if (type->type == TRACE_TYPE_size && equals(word, length, "2^64")) {
        *value = (struct trace_value){ .absolute = UINT64_MAX };
        return true;
    }
    if (!parse_number(word, length, &number, error, 0)) {
        return false;
    }
    if (number < type->lowest || number > type->highest) {
        return fail_expected(error, type, word, length);
    }
    *value = (struct trace_value){ .absolute = number };
    return true;
}

static bool parse_integer(struct trace_step *step, enum trace_slot slot,
                          const struct trace_operand_type *type, const char *word, size_t length,
                          struct trace_error *error)
{
    bool negative = length > 0 && word[0] == '-';
    uint64_t limit = negative ? 0 - type->lowest : type->highest;
    uint64_t number;

    if (length == negative || !isdigit((unsigned char)word[negative])) {
        return fail_expected(error, type, word, length);
    }
    if (!parse_number(word + negative, length - negative, &number, error, negative)) {
        return false;
    }
    if (number > limit) {
        return fail_expected(error, type, word, length);
    }
    operand_store(step, slot, type, negative ? 0 - number : number);
    return true;
}

/* Index of the word, or -1 with the error filled in. */
static int parse_word(const struct trace_operand_type *type, const char *word, size_t length,
                      struct trace_error *error, size_t at)
{
    struct spelling spelling;
    char quoted[SPELLING_QUOTED];

    spelling_start(&spelling, word, length);
    for (uint32_t i = 0; i < type->word_count; i++) {
        if (equals(word, length, type->words[i])) {
            return (int)i;
        }
        spelling_try(&spelling, type->words[i]);
    }
    if (spelling_nearest(&spelling)) {
        fail(error, at, "unknown word %s; did you mean '%s'?", spelling_quote(quoted, word, length),
             spelling_nearest(&spelling));
    } else {
        fail_expected(error, type, word, length);
        error->column += (unsigned)at;
    }
    return -1;
}

static bool parse_flags(struct trace_step *step, enum trace_slot slot, const struct trace_operand_type *type,
                        const char *word, size_t length, struct trace_error *error)
{
    uint64_t bits = 0;
    size_t at = 0;

    if (!equals(word, length, "none")) {
        for (;;) {
            const char *plus = memchr(word + at, '+', length - at);
            size_t part = plus ? (size_t)(plus - word) - at : length - at;
            int index = parse_word(type, word + at, part, error, at);

            if (index < 0) {
                return false;
            }
            if (bits >> index & 1) {
                return fail(error, at, "'%s' is named twice", type->words[index]);
            }
            bits |= UINT64_C(1) << index;
            if (!plus) {
                break;
            }
            at += part + 1;
        }
    }
    operand_store(step, slot, type, bits);
    return true;
}

bool operand_parse(struct trace_step *step, enum trace_slot slot, const struct trace_operand_type *type,
                   const char *word, size_t length, struct trace_error *error)
{
    uint32_t number;
    int index;

    switch (type->kind) {
    case TRACE_KIND_OBJECT_OR_NONE:
        if (equals(word, length, "none")) {
            operand_store(step, slot, type, type->slots);
            return true;
        }
        /* fall through */
    case TRACE_KIND_OBJECT:
        if (!parse_slot(type->letter, type->slots, word, length, &number)) {
            return fail_expected(error, type, word, length);
        }
        operand_store(step, slot, type, number);
        return true;
    case TRACE_KIND_WORDS:
        index = parse_word(type, word, length, error, 0);
        if (index >= 0) {
            operand_store(step, slot, type, (uint64_t)index);
        }
        return index >= 0;
    case TRACE_KIND_FLAGS:
        return parse_flags(step, slot, type, word, length, error);
    case TRACE_KIND_INTEGER:
        return parse_integer(step, slot, type, word, length, error);
    case TRACE_KIND_VALUE:
        break;
    }
    return parse_value(operand_value(step, slot), type, word, length, error);
}
