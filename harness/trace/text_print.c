/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "trace/operand.h"
#include "trace/table.h"

/* snprintf's contract over several pieces: counts everything, writes what fits, ends with a NUL. */
struct writer {
    char *buffer;
    size_t capacity;
    size_t used;
};

static void put(struct writer *writer, const char *text, size_t length)
{
    if (writer->used + 1 < writer->capacity) {
        size_t room = writer->capacity - 1 - writer->used;

        memcpy(writer->buffer + writer->used, text, length < room ? length : room);
    }
    writer->used += length;
}

size_t trace_print_step(const struct trace_step *step, char *buffer, size_t capacity)
{
    struct writer writer = { buffer, capacity, 0 };
    const char *mnemonic = trace_op_table[step->op].mnemonic;
    size_t count;
    const struct trace_piece *pieces = trace_pattern_of(step->op, &count);

    put(&writer, mnemonic, strlen(mnemonic));
    for (size_t i = 0; i < count; i++) {
        put(&writer, " ", 1);
        if (pieces[i].word) {
            put(&writer, pieces[i].word, pieces[i].length);
        } else {
            char text[OPERAND_TEXT_MAX];

            put(&writer, text, operand_print(step, pieces[i].slot, pieces[i].type, text));
        }
    }
    if (capacity > 0) {
        buffer[writer.used < capacity ? writer.used : capacity - 1] = '\0';
    }
    return writer.used;
}

void trace_print(const struct trace *t, FILE *out)
{
    /* The line is left out where it would say what the operations say anyway. */
    if (t->groups != trace_groups_needed(t)) {
        fputs("uses", out);
        for (enum trace_group group = TRACE_GROUP_TREE + 1; group < TRACE_GROUP_COUNT; group++) {
            if (t->groups & TRACE_GROUP_BIT(group)) {
                fprintf(out, " %s", trace_group_names[group]);
            }
        }
        fputc('\n', out);
    }
    for (size_t i = 0; i < t->count; i++) {
        char line[TRACE_SLOT_COUNT * OPERAND_TEXT_MAX];

        trace_print_step(&t->steps[i], line, sizeof(line));
        fprintf(out, "%s\n", line);
    }
}
