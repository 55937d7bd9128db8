/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "emit/block.h"
#include "model/block.h"

const char emit_discard_prelude[] =
#include "discard.inc"
    ;

static const char *true_or_false(bool value)
{
    return value ? "true" : "false";
}

static void put_policy(FILE *out, const struct trace_step *s)
{
    static const char *const functions[POLICIES] = {
        [POLICY_DISABLE] = "ram_block_discard_disable",
        [POLICY_UNCOORDINATED] = "ram_block_uncoordinated_discard_disable",
        [POLICY_REQUIRE] = "ram_block_discard_require",
        [POLICY_COORDINATED] = "ram_block_coordinated_discard_require",
    };

    fprintf(out, "    answer_policy(%s(%s));\n", functions[s->n], true_or_false(s->c));
}

static void put_result(FILE *out, const struct trace_step *s, const char *function)
{
    fprintf(out, "    answer_result(bitmap_discard_manager_%s(g%u.made", function, s->a);
    if (s->op != TRACE_OP_UNPLUG_ALL) {
        fprintf(out, ", 0x%" PRIx64 ", 0x%" PRIx64, s->v.absolute, s->w.absolute);
    }
    fputs("));\n", out);
}

void emit_discard_call(FILE *out, struct emit_block *b, const struct trace_step *s)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_MANAGE:
        b->managed[s->a] = true;
        fprintf(out, "    manage(&g%u, &r%u, 0x%" PRIx64 ");\n", s->a, s->a, block_granule((unsigned)s->n));
        break;
    case TRACE_OP_UNMANAGE:
        fprintf(out, "    unmanage(&g%u);\n", s->a);
        break;
    case TRACE_OP_PLUG:
        put_result(out, s, "plug");
        break;
    case TRACE_OP_UNPLUG:
        put_result(out, s, "unplug");
        break;
    case TRACE_OP_UNPLUG_ALL:
        put_result(out, s, "unplug_all");
        break;
    case TRACE_OP_LOAD_BITS:
        fprintf(out, "    load_bits(&g%u, 0x%" PRIx64 "ul);\n", s->a, s->w.absolute);
        break;
    case TRACE_OP_MANAGER_HOOKS:
        fprintf(out, "    g%u.busy = %s;\n    g%u.no_memory = %s;\n", s->a, true_or_false(s->n == HOOKS_BUSY), s->a,
                true_or_false(s->n == HOOKS_NO_MEMORY));
        break;
    case TRACE_OP_PARTS:
        fprintf(out, "    answer_parts(&g%u, 0x%" PRIx64 ", 0x%" PRIx64 ", %d);\n", s->a, s->v.absolute, s->w.absolute,
                s->n);
        break;
    case TRACE_OP_DISCARD_LISTEN:
        fprintf(out, "    discard_listen(&p%u, %u, &g%u, 0x%" PRIx64 ", 0x%" PRIx64 ", %s);\n", s->a, s->a, s->b,
                s->v.absolute, s->w.absolute, true_or_false(s->n == DISCARD_DOUBLE));
        break;
    case TRACE_OP_DISCARD_UNLISTEN:
        fprintf(out, "    discard_unlisten(&p%u);\n", s->a);
        break;
    case TRACE_OP_OBJECT:
        fprintf(out, "    p%u.objects_at = %d;\n", s->a, s->n);
        break;
    case TRACE_OP_DISCARD_POLICY:
        put_policy(out, s);
        break;
    default:
        abort();        /* a new operation: write it here */
    }
}
