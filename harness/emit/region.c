/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions and owners, as C. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emit/parts.h"
#include "model/block.h"

static void put_owner(FILE *out, unsigned owner)
{
    if (owner < TRACE_OWNERS) {
        fprintf(out, "o%u", owner);
    } else {
        fputs("NULL", out);
    }
}

/* The last argument of an initialiser that the host may refuse. */
static void put_error(struct emitter *e, const struct trace_step *s)
{
    if (e->block.faults) {
        fprintf(e->body, ", &refusal);\n    initialised(&r%u);\n", s->a);
    } else {
        fputs(", &error_abort);\n", e->body);
    }
}

static void put_init(struct emitter *e, const struct trace_step *s)
{
    static const char *const ops[] = { "&native_ops", "&big_ops", "&little_ops" };
    static const char *const rams[] = {
        "memory_region_init_ram", "memory_region_init_ram_nomigrate", "memory_region_init_rom",
        "memory_region_init_rom_nomigrate", "memory_region_init_ram_flags_nomigrate",
        "memory_region_init_ram_flags_nomigrate", "memory_region_init_resizeable_ram",
        "memory_region_init_resizeable_ram", "memory_region_init_resizeable_ram",
    };
    static const char *const after[] = { "", "", "", "", ", RAM_SHARED", ", RAM_NORESERVE", "", "", "" };
    const struct ram_sizes sizes = s->op == TRACE_OP_RAM ? block_ram_sizes((unsigned)s->n, s->v.absolute)
                                                         : (struct ram_sizes){ 0 };
    bool alias = s->op == TRACE_OP_ALIAS;
    bool plain = s->op == TRACE_OP_RAM || s->op == TRACE_OP_RAM_PTR || s->op == TRACE_OP_ROM_DEVICE ||
                 s->op == TRACE_OP_DEVICE || s->op == TRACE_OP_IOMMU || s->op == TRACE_OP_RAM_FILE;
    unsigned naming = plain ? 0 : alias ? (unsigned)s->n : s->c;
    char name[32];
    FILE *out = e->body;

    if (naming == 0) {
        snprintf(name, sizeof(name), "\"r%u\"", s->a);
    } else {
        snprintf(name, sizeof(name), "%s", naming == 1 ? "\"shared\"" : naming == 2 ? "\"a/[b]\\\\c\"" : "NULL");
    }
    e->region_used[s->a] = true;
    e->region_named[s->a] = naming != 3;
    e->region_container[s->a] = OBSERVED_NONE;
    fputs("    ", out);
    fprintf(out, "r%u_enabled = true;\n    ", s->a);
    if (s->op == TRACE_OP_IOMMU) {
        emit_access_call(out, &e->access, runner_model(e->runner), s);
        return;
    }
    if (s->op == TRACE_OP_RAM_FILE) {
        snprintf(name, sizeof(name), s->b < TRACE_OWNERS ? "o%u" : "NULL", s->b);
        emit_block_file(out, s, name);
        return;
    }
    switch ((enum trace_op)s->op) {
    case TRACE_OP_CONTAINER:
        fprintf(out, "memory_region_init(&r%u, ", s->a);
        break;
    case TRACE_OP_IO:
    case TRACE_OP_RESERVATION:
    case TRACE_OP_DEVICE:
        fprintf(out, "memory_region_init_io(&r%u, ", s->a);
        break;
    case TRACE_OP_ALIAS:
        fprintf(out, "memory_region_init_alias(&r%u, ", s->a);
        break;
    case TRACE_OP_RAM:
        fprintf(out, "%s(&r%u, ", rams[s->n], s->a);
        break;
    case TRACE_OP_RAM_PTR:
        fprintf(out, "memory_region_init_ram_%sptr(&r%u, ", s->n ? "device_" : "", s->a);
        break;
    default:
        fprintf(out, "memory_region_init_rom_device%s(&r%u, ", s->n ? "_nomigrate" : "", s->a);
        break;
    }
    put_owner(out, alias ? s->c : s->b);
    if (s->op == TRACE_OP_RESERVATION) {
        fputs(", NULL, NULL", out);
    } else if (e->access.used && (s->op == TRACE_OP_IO || s->op == TRACE_OP_DEVICE || s->op == TRACE_OP_ROM_DEVICE)) {
        fputs(", ", out);
        emit_access_ops(out, &e->access, s);
    } else if (s->op == TRACE_OP_IO) {
        fprintf(out, ", %s, NULL", ops[s->n]);
    } else if (s->op == TRACE_OP_ROM_DEVICE) {
        fputs(", &little_ops, NULL", out);
    }
    if (alias) {
        fprintf(out, ", %s, &r%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n", name, s->b, s->v.absolute, s->w.absolute);
    } else if (s->op == TRACE_OP_RAM) {
        fprintf(out, ", %s, 0x%" PRIx64 "%s", name, sizes.used, after[s->n]);
        if (sizes.max) {
            fprintf(out, ", 0x%" PRIx64 ", %s", sizes.max, e->block.used ? "on_resized" : "NULL");
        }
        put_error(e, s);
    } else if (s->op == TRACE_OP_RAM_PTR) {
        fprintf(out, ", %s, 0x%" PRIx64 ", %s);\n", name, s->v.absolute,
                e->access.used ? "shared_memory()" : "seen /* never touched */");
    } else {
        fprintf(out, ", %s, 0x%" PRIx64, name, s->v.absolute);
        if (s->op == TRACE_OP_ROM_DEVICE) {
            put_error(e, s);
        } else {
            fputs(");\n", out);
        }
    }
}

void emit_region_call(struct emitter *e, const struct trace_step *s, bool check, const struct observation *expected)
{
    FILE *out = e->body;
    const char *onoff = s->n ? "true" : "false";

    switch ((enum trace_op)s->op) {
    case TRACE_OP_CONTAINER:
    case TRACE_OP_IO:
    case TRACE_OP_RESERVATION:
    case TRACE_OP_ALIAS:
    case TRACE_OP_RAM:
    case TRACE_OP_RAM_PTR:
    case TRACE_OP_ROM_DEVICE:
    case TRACE_OP_DEVICE:
    case TRACE_OP_IOMMU:
    case TRACE_OP_RAM_FILE:
        put_init(e, s);
        break;
    case TRACE_OP_ADD:
        e->region_container[s->b] = s->a;
        if (s->n) {
            fprintf(out, "    memory_region_add_subregion_overlap(&r%u, 0x%" PRIx64 ", &r%u, %d);\n", s->a,
                    s->v.absolute, s->b, s->n);
        } else {
            fprintf(out, "    memory_region_add_subregion(&r%u, 0x%" PRIx64 ", &r%u);\n", s->a, s->v.absolute, s->b);
        }
        break;
    case TRACE_OP_DEL:
        fprintf(out, "    memory_region_del_subregion(&r%d, &r%u);\n", e->region_container[s->a], s->a);
        break;
    case TRACE_OP_ENABLED:
        fprintf(out, "    r%u_enabled = %s;\n    memory_region_set_enabled(&r%u, %s);\n", s->a, onoff, s->a, onoff);
        break;
    case TRACE_OP_ADDRESS:
        fprintf(out, "    memory_region_set_address(&r%u, 0x%" PRIx64 ");\n", s->a, s->v.absolute);
        break;
    case TRACE_OP_SIZE:
        fprintf(out, "    memory_region_set_size(&r%u, 0x%" PRIx64 ");\n", s->a, s->v.absolute);
        break;
    case TRACE_OP_ALIAS_OFFSET:
        fprintf(out, "    memory_region_set_alias_offset(&r%u, 0x%" PRIx64 ");\n", s->a, s->v.absolute);
        break;
    case TRACE_OP_READONLY:
        fprintf(out, "    memory_region_set_readonly(&r%u, %s);\n", s->a, onoff);
        break;
    case TRACE_OP_NONVOLATILE:
        fprintf(out, "    memory_region_set_nonvolatile(&r%u, %s);\n", s->a, onoff);
        break;
    case TRACE_OP_ROMD:
        fprintf(out, "    memory_region_rom_device_set_romd(&r%u, %s);\n", s->a, onoff);
        break;
    case TRACE_OP_OWNER:
        fprintf(out, "    o%u = owner_new(\"o%u\");\n", s->a, s->a);
        break;
    case TRACE_OP_RELEASE:
        fprintf(out, "    object_unref(o%u);\n", s->a);
        break;
    case TRACE_OP_UNPARENT:
        fprintf(out, "    %s(OBJECT(&r%u));\n", e->region_named[s->a] ? "object_unparent" : "object_unref", s->a);
        break;
    case TRACE_OP_REF:
        fprintf(out, "    memory_region_ref(&r%u);\n", s->a);
        break;
    case TRACE_OP_UNREF:
        fprintf(out, "    memory_region_unref(&r%u);\n", s->a);
        break;
    case TRACE_OP_SPACE:        /* of this group, as every trace needs one */
        emit_space_call(e, s);
        break;
    case TRACE_OP_COPY:
    case TRACE_OP_FREE_COPY:
        emit_query_call(e, s, check, expected);
        break;
    default:
        abort();
    }
}
