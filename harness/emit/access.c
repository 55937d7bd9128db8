/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "emit/access.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emit/text.h"
#include "model/access.h"

static const char prelude[] =
#include "access.inc"
    ;

static const char meanwhile_prelude[] =
#include "meanwhile.inc"
    ;

void emit_access_begin(struct emit_access *a, const struct trace *t)
{
    for (size_t i = 0; i < t->count; i++) {
        a->used |= trace_op_table[t->steps[i].op].group >= TRACE_GROUP_DEVICE;
        a->meanwhile |= access_is_meanwhile(t->steps[i].op);
        a->iommus |= trace_op_table[t->steps[i].op].group == TRACE_GROUP_IOMMU;
    }
}

void emit_access_prelude(FILE *out, const struct emit_access *a)
{
    if (a->used) {
        fputs(prelude, out);
    }
    if (a->meanwhile) {
        fputs(meanwhile_prelude, out);
    }
    if (a->iommus) {
        fputs(emit_iommu_prelude, out);
    }
}

bool emit_access_declare(FILE *out, const struct emit_access *a, unsigned region)
{
    if (a->device[region]) {
        fprintf(out, "static struct device UNUSED d%u;\n", region);
    }
    if (a->toggled[region]) {
        fprintf(out, "static bool r%u_lives;\n", region);
    }
    if (a->iommu[region]) {
        fprintf(out, "static struct table_iommu UNUSED u%u;\n#define r%u (u%u.region.parent_obj)\n", region, region,
                region);
    }
    return a->iommu[region];
}

void emit_access_start(FILE *out, const struct emit_access *a)
{
    fputs(a->used ? "    start_accesses();\n" : "", out);
    fputs(a->iommus ? "    start_iommus();\n" : "", out);
    fputs(a->meanwhile ? "    memcore_set_meanwhile(on_place, NULL);\n" : "", out);
}

/* --- pieces ---------------------------------------------------------------------------- */

static void put_traits(FILE *out, uint32_t traits)
{
    static const char *const names[] = { "BIG", "LITTLE", "UNALIGNED", "IMPL_UNALIGNED", "BYTES", "PICKY", "ATTRS_READ",
                                         "ATTRS_WRITE", "BOTH_READ", "BOTH_WRITE", "FAILING" };
    const char *between = "";

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (traits >> i & 1) {
            fprintf(out, "%s%s", between, names[i]);
            between = " | ";
        }
    }
    fputs(traits ? "" : "0", out);
}

void emit_access_ops(FILE *out, struct emit_access *a, const struct trace_step *s)
{
    static const uint32_t orders[] = { 0, DEVICE_BIG, DEVICE_LITTLE };
    struct device_shape shape = { .traits = s->op == TRACE_OP_IO ? orders[s->n] : DEVICE_LITTLE };

    if (s->op == TRACE_OP_DEVICE) {
        shape = device_shape((unsigned)s->n, s->c, s->w.absolute);
    }
    a->device[s->a] = true;
    fprintf(out, "device(&d%u, %u, %u, %u, %u, %u, ", s->a, s->a, shape.valid_min, shape.valid_max, shape.impl_min,
            shape.impl_max);
    put_traits(out, shape.traits);
    fprintf(out, "), &d%u", s->a);
}

static const char *true_or_false(bool value)
{
    return value ? "true" : "false";
}

/* --- calls ----------------------------------------------------------------------------- */

static const char *const loads[] = { "ldub", "lduw", "lduw_le", "lduw_be", "ldl", "ldl_le", "ldl_be", "ldq", "ldq_le",
                                     "ldq_be" };
static const char *const stores[] = { "stb", "stw", "stw_le", "stw_be", "stl", "stl_le", "stl_be", "stq", "stq_le",
                                      "stq_be" };

static void put_load(FILE *out, const struct trace_step *s, const char *suffix, const char *object)
{
    fprintf(out, "    result = ~0u;\n    value = address_space_%s%s(&%s%u, 0x%" PRIx64 ", ", loads[s->n], suffix,
            object, s->a, s->v.absolute);
    emit_attrs(out, s->c);
    fputs(", &result);\n", out);
}

static void put_store(FILE *out, const struct trace_step *s, const char *suffix, const char *object)
{
    fprintf(out, "    result = ~0u;\n    address_space_%s%s(&%s%u, 0x%" PRIx64 ", 0x%" PRIx64 ", ", stores[s->n],
            suffix, object, s->a, s->v.absolute, access_cut(s->w.absolute, access_scalar((unsigned)s->n).size));
    emit_attrs(out, s->c);
    fputs(", &result);\n", out);
}

static void put_scalar(FILE *out, const struct trace_step *s)
{
    if (s->b != SCALAR_PHYS) {
        (s->op == TRACE_OP_LOAD ? put_load : put_store)(out, s, "", "as");
    } else if (s->op == TRACE_OP_LOAD) {
        fprintf(out, "    value = %s_phys(&as%u, 0x%" PRIx64 ");\n", loads[s->n], s->a, s->v.absolute);
    } else {
        fprintf(out, "    %s_phys(&as%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n", stores[s->n], s->a, s->v.absolute,
                access_cut(s->w.absolute, access_scalar((unsigned)s->n).size));
    }
}

static void put_read_translated(FILE *out, const struct trace_step *s)
{
    const uint64_t address = s->v.absolute, length = s->w.absolute;

    fprintf(out, "    rcu_read_lock();\n    {\n        FlatView *const view = address_space_to_flatview(&as%u);\n"
            "        hwaddr offset, translated = 0x%" PRIx64 ";\n        MemoryRegion *const mr = "
            "flatview_translate(view, 0x%" PRIx64 ", &offset, &translated, false, ", s->a, length, address);
    emit_attrs(out, s->c);
    fprintf(out, ");\n\n        result = flatview_read_continue(view, 0x%" PRIx64 ", ", address);
    emit_attrs(out, s->c);
    fprintf(out, ", fresh(0x%" PRIx64 "), 0x%" PRIx64 ", offset, translated, mr);\n    }\n    rcu_read_unlock();\n",
            length, length);
}

static void put_buffer_access(FILE *out, const struct trace_step *s)
{
    const uint64_t address = s->v.absolute, length = s->w.absolute;
    const char *function = s->op == TRACE_OP_WRITE_ROM ? "write_rom"
                         : s->op == TRACE_OP_SET       ? "set"
                         : s->op == TRACE_OP_WRITE     ? (s->b == WRITE_RW ? "rw" : "write")
                         : s->n == READ_FULL           ? "read_full"
                         : s->n == READ_8              ? "read"
                                                       : "rw";

    if (s->op == TRACE_OP_READ && s->n == READ_TRANSLATED) {
        put_read_translated(out, s);
        return;
    }
    fprintf(out, "    result = address_space_%s(&as%u, 0x%" PRIx64 ", ", function, s->a, address);
    if (s->op == TRACE_OP_SET) {
        fprintf(out, "0x%02x, 0x%" PRIx64 ", ", (unsigned)(uint8_t)s->n, length);
        emit_attrs(out, s->c);
        fputs(");\n", out);
        return;
    }
    emit_attrs(out, s->c);
    if (s->op == TRACE_OP_READ) {
        fprintf(out, ", fresh(0x%" PRIx64 "), 0x%" PRIx64, length, length);
    } else {
        fprintf(out, ", data(%d, 0x%" PRIx64 "), 0x%" PRIx64, s->n, length, length);
    }
    fprintf(out, "%s);\n", strcmp(function, "rw") ? "" : s->op == TRACE_OP_WRITE ? ", true" : ", false");
}

static void put_move(FILE *out, const struct trace_step *s)
{
    static const char *const functions[] = { "read_full", "rw", "write", "rw", "write_rom" };

    fprintf(out, "    result = address_space_%s(&as%u, 0x%" PRIx64 ", (MemTxAttrs){ 0 }, "
            "memory_of(&r%u, 0x%" PRIx64 "), 0x%x%s);\n", functions[s->c], s->a, s->v.absolute, s->b,
            s->w.absolute, (unsigned)s->n, s->c == MOVE_READ_RW ? ", false" : s->c == MOVE_WRITE_RW ? ", true" : "");
}

static void put_dispatch(FILE *out, const struct trace_step *s)
{
    const struct scalar scalar = access_memop((unsigned)s->n);
    const bool read = s->op == TRACE_OP_DISPATCH_READ;

    fputs(read ? "    value = UINT64_MAX;\n    rcu_read_lock();\n" : "    rcu_read_lock();\n", out);
    fprintf(out, "    result = memory_region_dispatch_%s(&r%u, 0x%" PRIx64 ", ", read ? "read" : "write", s->a,
            s->v.absolute);
    if (read) {
        fputs("&value", out);
    } else {
        fprintf(out, "0x%" PRIx64, s->w.absolute);
    }
    fprintf(out, ", size_memop(%u)%s, ", scalar.size, scalar.order == SCALAR_BIG ? " | MO_BSWAP" : "");
    emit_attrs(out, s->c);
    fputs(");\n    rcu_read_unlock();\n", out);
}

static void put_question(FILE *out, const struct trace_step *s)
{
    const char *writing = true_or_false(s->n == DIRECTION_WRITING);

    if (s->op == TRACE_OP_VALID) {
        fprintf(out, "    value = address_space_access_valid(&as%u, 0x%" PRIx64 ", 0x%" PRIx64 ", %s, ", s->a,
                s->v.absolute, s->w.absolute, writing);
        emit_attrs(out, s->c);
        fputs(");\n", out);
        return;
    }
    if (s->op == TRACE_OP_TRANSLATE) {
        fprintf(out, "    offset = 0;\n    length = 0x%" PRIx64 ";\n    rcu_read_lock();\n"
                "    place = address_space_translate(&as%u, 0x%" PRIx64 ", &offset, &length, %s, ", s->w.absolute, s->a,
                s->v.absolute, writing);
    } else {
        fprintf(out, "    rcu_read_lock();\n    entry = address_space_get_iotlb_entry(&as%u, 0x%" PRIx64 ", %s, ", s->a,
                s->v.absolute, writing);
    }
    emit_attrs(out, s->c);
    fputs(");\n    rcu_read_unlock();\n", out);
}

static void put_map(FILE *out, const struct trace_step *s)
{
    fprintf(out, "    m%u = (struct mapping){ .space = &as%u, .length = 0x%" PRIx64 " };\n"
            "    m%u.pointer = address_space_map(&as%u, 0x%" PRIx64 ", &m%u.length, %s, ", s->a, s->b, s->w.absolute,
            s->a, s->b, s->v.absolute, s->a, true_or_false(s->n == DIRECTION_WRITING));
    emit_attrs(out, s->c);
    fputs(");\n", out);
}

static void put_unmap(FILE *out, const struct trace_step *s)
{
    if (s->n == DIRECTION_WRITING) {
        fprintf(out, "    fill_at(m%u.pointer, (int64_t)0x%" PRIx64 ", 0x%" PRIx64 ");\n", s->a, s->v.absolute,
                s->w.absolute);
    }
    fputs("    address_space_unmap(", out);
    if (s->op == TRACE_OP_UNMAP_INTO) {
        fprintf(out, "&as%u", s->b);
    } else {
        fprintf(out, "m%u.space", s->a);
    }
    fprintf(out, ", m%u.pointer, m%u.length, %s, 0x%" PRIx64 ");\n", s->a, s->a,
            true_or_false(s->n == DIRECTION_WRITING), s->w.absolute);
}

static void put_map_step(FILE *out, const struct trace_step *s)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_MAP:
        put_map(out, s);
        break;
    case TRACE_OP_UNMAP:
    case TRACE_OP_UNMAP_INTO:
        put_unmap(out, s);
        break;
    default:
        fprintf(out, "    cpu_%sregister_map_client(clients[%u]);\n", s->op == TRACE_OP_MAP_CLIENT ? "" : "un", s->a);
        break;
    }
}

static void put_meanwhile(FILE *out, const struct trace_step *s)
{
    struct trace_step steps[2];

    access_meanwhile(s, steps);
    fputs("    other_thread = (struct other_thread){ ", out);
    if (steps[0].op == TRACE_OP_UNMAP) {
        fprintf(out, ".mapping = &m%u, .is_write = %s, .data = (int64_t)0x%" PRIx64 ", .length = 0x%" PRIx64,
                steps[0].a, true_or_false(steps[0].n == DIRECTION_WRITING), steps[0].v.absolute, steps[0].w.absolute);
    } else {
        fprintf(out, ".client = clients[%u], .leaves = %s", steps[0].a,
                true_or_false(steps[0].op == TRACE_OP_MAP_CLIENT_CANCEL));
    }
    fputs(" };\n", out);
    put_map_step(out, &steps[1]);
    fputs("    play_other_thread();        /* unless it came in between */\n", out);
}

static void put_cache_access(FILE *out, const struct trace_step *s)
{
    const bool read = s->op == TRACE_OP_CACHE_READ;
    const int form = read ? s->n : s->b;
    const char *suffix = form == CACHE_SLOW ? "_cached_slow" : "_cached";

    fputs("    rcu_read_lock();\n", out);
    if (s->op == TRACE_OP_CACHE_LOAD || s->op == TRACE_OP_CACHE_STORE) {
        (s->op == TRACE_OP_CACHE_LOAD ? put_load : put_store)(out, s, suffix, "k");
    } else {
        fprintf(out, "    result = address_space_%s%s(&k%u, 0x%" PRIx64 ", ", read ? "read" : "write", suffix, s->a,
                s->v.absolute);
        if (read) {
            fprintf(out, "fresh(0x%" PRIx64 ")", s->w.absolute);
        } else {
            fprintf(out, "data(%d, 0x%" PRIx64 ")", s->n, s->w.absolute);
        }
        fprintf(out, ", 0x%" PRIx64 ");\n", s->w.absolute);
    }
    fputs("    rcu_read_unlock();\n", out);
}

static void put_script(FILE *out, struct emit_access *a, const struct trace_step *s)
{
    static const char *const kinds[] = { "SCRIPT_READ", "SCRIPT_WRITE", "SCRIPT_TOGGLE", "SCRIPT_FAIL" };

    fprintf(out, "    d%u.script = (struct script){ %s, ", s->a, kinds[s->n]);
    if (s->n == SCRIPT_TOGGLE) {
        fprintf(out, ".region = &r%u, .lives = &r%u_lives, .enabled = &r%u_enabled };\n", s->b, s->b, s->b);
        a->toggled[s->b] = true;
    } else {
        fprintf(out, ".space = %u, .value = 0x%" PRIx64 " };\n", s->c, s->v.absolute);
    }
}

static bool leaves_the_lock(const struct trace_step *s)
{
    return (s->op == TRACE_OP_READ && s->n == READ_UNLOCKED) || (s->op == TRACE_OP_WRITE && s->b == WRITE_UNLOCKED) ||
           ((s->op == TRACE_OP_LOAD || s->op == TRACE_OP_STORE) && s->b == SCALAR_UNLOCKED);
}

static void put_call(FILE *out, struct emit_access *a, const struct trace_step *s)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_SCRIPT:
        put_script(out, a, s);
        break;
    case TRACE_OP_FLUSH_ROM:
        fprintf(out, "    memory_region_flush_rom_device(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n", s->a, s->v.absolute,
                s->w.absolute);
        break;
    case TRACE_OP_READ:
    case TRACE_OP_WRITE:
    case TRACE_OP_WRITE_ROM:
    case TRACE_OP_SET:
        put_buffer_access(out, s);
        break;
    case TRACE_OP_LOAD:
    case TRACE_OP_STORE:
        put_scalar(out, s);
        break;
    case TRACE_OP_VALID:
    case TRACE_OP_TRANSLATE:
    case TRACE_OP_IOTLB:
        put_question(out, s);
        break;
    case TRACE_OP_DISPATCH_READ:
    case TRACE_OP_DISPATCH_WRITE:
        put_dispatch(out, s);
        break;
    case TRACE_OP_MOVE:
        put_move(out, s);
        break;
    case TRACE_OP_MAP:
    case TRACE_OP_UNMAP:
    case TRACE_OP_UNMAP_INTO:
    case TRACE_OP_MAP_CLIENT:
    case TRACE_OP_MAP_CLIENT_CANCEL:
        put_map_step(out, s);
        break;
    case TRACE_OP_MEANWHILE:
    case TRACE_OP_MAP_MEANWHILE:
        put_meanwhile(out, s);
        break;
    case TRACE_OP_CACHE:
        fprintf(out, "    value = (uint64_t)address_space_cache_init(&k%u, &as%u, 0x%" PRIx64 ", 0x%" PRIx64 ", %s);\n",
                s->a, s->b, s->v.absolute, s->w.absolute, true_or_false(s->n == DIRECTION_WRITING));
        break;
    case TRACE_OP_CACHE_READ:
    case TRACE_OP_CACHE_WRITE:
    case TRACE_OP_CACHE_LOAD:
    case TRACE_OP_CACHE_STORE:
        put_cache_access(out, s);
        break;
    case TRACE_OP_CACHE_INVALIDATE:
        fprintf(out, "    address_space_cache_invalidate(&k%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n", s->a, s->v.absolute,
                s->w.absolute);
        break;
    case TRACE_OP_CACHE_DESTROY:
        fprintf(out, "    address_space_cache_destroy(&k%u);\n    address_space_cache_destroy(&k%u);\n", s->a, s->a);
        break;
    default:
        abort();        /* a new operation: write it here */
    }
}

void emit_access_call(FILE *out, struct emit_access *a, const struct model *m, const struct trace_step *s)
{
    if (emit_iommu_call(out, a, m, s)) {
        if (s->op == TRACE_OP_IOMMU) {
            return;
        }
    } else {
        fputs(leaves_the_lock(s) ? "    qemu_mutex_unlock_iothread();\n" : "", out);
        put_call(out, a, s);
        fputs(leaves_the_lock(s) ? "    relock();\n" : "", out);
    }
    fputs("    after_access();\n", out);
}

/* --- lives ------------------------------------------------------------------------------- */

void emit_access_lives(FILE *out, struct emit_access *a, const struct model *m)
{
    struct model_region region;

    emit_iommu_forget_alias(a, m);
    for (unsigned i = 0; i < TRACE_REGIONS; i++) {
        if (a->toggled[i] && a->lives[i] != model_region(m, i, &region)) {
            a->lives[i] = !a->lives[i];
            fprintf(out, "    r%u_lives = %s;\n", i, true_or_false(a->lives[i]));
        }
    }
}
