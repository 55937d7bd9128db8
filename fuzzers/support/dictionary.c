/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a target's dictionary: fuzz_dictionary trace|bytes FILE
 *
 *   trace   parts of the binary form (harness/trace/dictionary.c)
 *   bytes   for trace_codec: these, and the operations' lines, mnemonics and words of the text form
 *
 * Everything comes from the operation table, so a new operation is in the
 * next build's dictionaries.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "trace/reference.h"
#include "trace/trace.h"

static void write_entry(FILE *out, const char *name, const char *text)
{
    if (!*text || strlen(text) > 64) {      /* libFuzzer ignores longer ones */
        return;
    }
    fprintf(out, "%s=\"", name);
    for (; *text; text++) {
        if (isalnum((unsigned char)*text) || *text == '_' || *text == ' ') {
            fputc(*text, out);
        } else {
            fprintf(out, "\\x%02x", (unsigned char)*text);
        }
    }
    fputs("\"\n", out);
}

static struct trace_step example_step(unsigned op)
{
    struct trace_step step = { .op = op, .b = 1, .v = { .mode = TRACE_VALUE_ABSOLUTE, .absolute = 0x1000 } };
    step.w = step.v;
    trace_step_canonicalize(&step);
    return step;
}

static void write_words(FILE *out)
{
    for (unsigned op = 0; op < TRACE_OP_COUNT; op++) {
        char line[256];
        struct trace_step step = example_step(op);
        size_t length = trace_print_step(&step, line, sizeof(line));
        write_entry(out, "mnemonic", trace_op_table[op].mnemonic);
        if (length < sizeof(line)) {
            write_entry(out, "line", line);
        }
    }
    /* Flag and word operands, as an operation prints them. */
#define OBJECT(...)
#define OBJECT_OR_NONE(...)
#define VALUE(...)
#define INTEGER(...)
#define WORDS(type, ...) { const char *const words[] = { __VA_ARGS__ }; \
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) { \
            write_entry(out, #type, words[i]); \
        } }
#define FLAGS(type, ...) WORDS(type, __VA_ARGS__)
#include "trace/operand.def"
    for (unsigned g = 0; g < TRACE_GROUP_COUNT; g++) {
        write_entry(out, "group", trace_group_names[g]);
    }
    static const char *const others[] = {
        "uses ", "none", "r1023", "as7", "start(r0)", "end(r1)-0x1", "size(r1)+0x1", "2^64", "-2147483648", "#",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        write_entry(out, "text", others[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[1], "trace") && strcmp(argv[1], "bytes"))) {
        fprintf(stderr, "usage: %s trace|bytes FILE\n", argv[0]);
        return 2;
    }
    FILE *out = fopen(argv[2], "w");
    if (!out) {
        perror(argv[2]);
        return 1;
    }
    fprintf(out, "# SPDX-License-Identifier: GPL-2.0-or-later\n# Made from the operation table.\n");
    trace_write_dictionary(out);
    if (!strcmp(argv[1], "bytes")) {
        write_words(out);
    }
    if (fclose(out) != 0) {
        perror(argv[2]);
        return 1;
    }
    return 0;
}
