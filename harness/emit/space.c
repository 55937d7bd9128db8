/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address spaces, transactions, listeners and what they are told of, as C. */
#include <inttypes.h>
#include <stdlib.h>

#include "emit/parts.h"

static void put_listen(struct emitter *e, unsigned slot, unsigned space, uint64_t mask, int priority)
{
    char name[8];
    FILE *out = e->body;

    snprintf(name, sizeof(name), slot < TRACE_LISTENERS ? "l%u" : "w%u",
             slot < TRACE_LISTENERS ? slot : slot - TRACE_LISTENERS);
    fprintf(out, "    %s = (struct recorder){ .name = \"%s\", .listener = { .name = \"%s\", .priority = %uu", name,
            name, name, (unsigned)priority);
    for (unsigned i = 0; i < EVENT_LISTENER_KINDS; i++) {
        if (mask & UINT64_C(1) << i) {
            fprintf(out, ",\n        .%s = on_%s", emit_callback_names[i], emit_callback_names[i]);
        }
    }
    fprintf(out, " } };\n    replaying = true;\n    memory_listener_register(&%s.listener, &as%u);\n"
            "    replaying = false;\n", name, space);
}

static void put_eventfd(struct emitter *e, const struct trace_step *s)
{
    static const unsigned widths[] = { 0, 1, 2, 4, 8 };

    fprintf(e->body, "    memory_region_%s_eventfd(&r%u, 0x%" PRIx64 ", %u, %s, 0x%" PRIx64 ", &notifiers[%u]);\n",
            s->op == TRACE_OP_EVENTFD ? "add" : "del", s->a, s->v.absolute, widths[s->n % 5],
            s->n >= 5 ? "true" : "false", s->w.absolute, s->b);
}

void emit_space_call(struct emitter *e, const struct trace_step *s)
{
    FILE *out = e->body;
    const char *onoff = s->n ? "true" : "false";

    switch ((enum trace_op)s->op) {
    case TRACE_OP_SPACE:
        fprintf(out, "    address_space_init(&as%u, &r%u, \"as%u\");\n", s->a, s->b, s->a);
        if (e->access.used) {
            fprintf(out, "    as_lives[%u] = true;\n", s->a);
        }
        if (s->n) {
            put_listen(e, TRACE_LISTENERS + s->a, s->a,
                       ((1 << EVENT_LISTENER_KINDS) - 1) & ~(1 << EVENT_LOG_SYNC_GLOBAL), 0);
        }
        break;
    case TRACE_OP_DESTROY:
        fprintf(out, "    replaying = true;\n    address_space_remove_listeners(&as%u);\n"
                "    replaying = false;\n    address_space_destroy(&as%u);\n", s->a, s->a);
        if (e->access.used) {
            fprintf(out, "    as_lives[%u] = false;\n", s->a);
        }
        break;
    case TRACE_OP_BEGIN:
        fputs("    memory_region_transaction_begin();\n", out);
        break;
    case TRACE_OP_COMMIT:
        fputs("    memory_region_transaction_commit();\n", out);
        break;
    case TRACE_OP_LISTEN:
        put_listen(e, s->a, s->b, s->v.absolute, s->n);
        break;
    case TRACE_OP_UNLISTEN:
        fprintf(out, "    replaying = true;\n    memory_listener_unregister(&l%u.listener);\n"
                "    replaying = false;\n", s->a);
        break;
    case TRACE_OP_UNLISTEN_ALL:
        fprintf(out, "    replaying = true;\n    address_space_remove_listeners(&as%u);\n"
                "    replaying = false;\n", s->a);
        break;
    case TRACE_OP_ARM:
        e->armed[s->a] = true;
        fprintf(out, "    l%u.toggles = l%u.listener.commit ? &r%u : NULL;\n    l%u.toggles_enabled = &r%u_enabled;\n",
                s->a, s->a, s->b, s->a, s->b);
        break;
    case TRACE_OP_LOG:
        fprintf(out, "    memory_region_set_log(&r%u, %s, DIRTY_MEMORY_VGA);\n", s->a, onoff);
        break;
    case TRACE_OP_LOG_START:
        fprintf(out, "    memory_global_dirty_log_start(%d);\n", s->n);
        break;
    case TRACE_OP_LOG_STOP:
        fprintf(out, "    memory_global_dirty_log_stop(%d);\n", s->n);
        break;
    case TRACE_OP_LOG_SYNC:
        fputs("    memory_global_dirty_log_sync();\n", out);
        break;
    case TRACE_OP_AFTER_SYNC:
        fputs("    memory_global_after_dirty_log_sync();\n", out);
        break;
    case TRACE_OP_LOG_CLEAR:
        fprintf(out, "    memory_region_clear_dirty_bitmap(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n", s->a,
                s->v.absolute, s->w.absolute);
        break;
    case TRACE_OP_VM:
        fprintf(out, "    memcore_set_vm_running(%s);\n", onoff);
        break;
    case TRACE_OP_CODE_TRACKING:
        fprintf(out, "    drops_code = %s;\n    memcore_set_code_tracking(%s);\n",
                s->n == CODE_TRACKING_DROPPING ? "true" : "false", s->n != CODE_TRACKING_OFF ? "true" : "false");
        break;
    case TRACE_OP_EVENTFD:
    case TRACE_OP_EVENTFD_DEL:
        put_eventfd(e, s);
        break;
    case TRACE_OP_COALESCE:
        fprintf(out, "    memory_region_add_coalescing(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n", s->a, s->v.absolute,
                s->w.absolute);
        break;
    case TRACE_OP_COALESCE_ALL:
        fprintf(out, "    memory_region_set_coalescing(&r%u);\n", s->a);
        break;
    case TRACE_OP_UNCOALESCE:
        fprintf(out, "    memory_region_clear_coalescing(&r%u);\n", s->a);
        break;
    case TRACE_OP_FLUSH_SET:
        fprintf(out, "    memory_region_set_flush_coalesced(&r%u);\n", s->a);
        break;
    case TRACE_OP_FLUSH_CLEAR:
        fprintf(out, "    memory_region_clear_flush_coalesced(&r%u);\n", s->a);
        break;
    case TRACE_OP_GRACE:
        fputs("    memcore_drain();\n", out);
        break;
    default:
        abort();
    }
}
