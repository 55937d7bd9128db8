/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/reference.h"

#include "trace/operand.h"
#include "trace/table.h"

static void write_type(const struct trace_operand_type *type, FILE *out)
{
    char text[OPERAND_TEXT_MAX + 20];

    operand_describe(type, text, sizeof(text));
    fprintf(out, "| `%s` | %s |\n", type->name, text);
}

void trace_write_operations(FILE *out)
{
    enum trace_group group = TRACE_GROUP_COUNT;

    fputs("# Operations of the trace language\n\n"
          "One operation a line; `#` starts a comment. `{...}` stands for an operand of that type.\n"
          "An operation takes the object it names if that suits, else the (number modulo count)-th of\n"
          "those that do; it is skipped only when none does.\n", out);
    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        const struct trace_op_info *info = &trace_op_table[op];
        size_t count;
        const struct trace_piece *pieces = trace_pattern_of(op, &count);

        if (info->group != group) {
            group = info->group;
            fprintf(out, "\n## %s\n\n| operation | what it does |\n|---|---|\n", trace_group_names[group]);
        }
        fprintf(out, "| `%s", info->mnemonic);
        for (size_t i = 0; i < count; i++) {
            if (pieces[i].word) {
                fprintf(out, " %.*s", (int)pieces[i].length, pieces[i].word);
            } else {
                fprintf(out, " {%s}", pieces[i].type->name);
            }
        }
        fprintf(out, "` | %s |\n", info->summary);
    }
    fputs("\n## Operands\n\n"
          "Numbers are decimal or 0x. An edge is `start(rN)`, `end(rN)` or `size(rN)`, with `+K` or `-K` if\n"
          "wanted (-0x8000 to 0x7fff): the region's address in its container, that plus its size, and its\n"
          "size, at the moment of the step. `2^64` is a size. A type `new...` names a slot to be filled.\n\n"
          "| type | accepts |\n|---|---|\n", out);
    for (size_t i = 0; i < TRACE_TYPE_COUNT; i++) {
        write_type(&trace_operand_types[i], out);
    }
}
