/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "emit/access.h"
#include "emit/text.h"
#include "model/access.h"

const char emit_iommu_prelude[] =
#include "iommu.inc"
    ;

static const char *const permissions[] = { "IOMMU_NONE", "IOMMU_RO", "IOMMU_WO", "IOMMU_RW" };

static void put_flags(FILE *out, const char *const names[], unsigned count, unsigned flags)
{
    const char *between = "";

    for (unsigned i = 0; i < count; i++) {
        if (flags >> i & 1) {
            fprintf(out, "%s%s", between, names[i]);
            between = " | ";
        }
    }
    fputs(flags ? "" : "0", out);
}

static void put_region(FILE *out, const struct trace_step *s)
{
    static const char *const traits[] = { "IDENTITY", "METHODS", "INDEXED", "STRICT", "REPLAYS" };

    fprintf(out, "    new_iommu(&u%u, %u, ", s->a, s->a);
    if (s->b < TRACE_OWNERS) {
        fprintf(out, "o%u", s->b);
    } else {
        fputs("NULL", out);
    }
    fprintf(out, ", 0x%" PRIx64 ", %u, 0x%" PRIx64 ", ", s->v.absolute, s->c, iommu_granule((unsigned)s->n));
    put_flags(out, traits, sizeof(traits) / sizeof(traits[0]), (unsigned)s->w.absolute);
    fputs(");\n", out);
}

static void put_block(FILE *out, const struct model *m, const struct trace_step *s)
{
    struct model_iommu iommu = { 0 };
    uint64_t mask;

    model_iommu(m, s->a, &iommu);
    mask = iommu_block_mask(iommu.granule, (unsigned)s->n);
    fprintf(out, "    enter_block(&u%u, (struct block){ .index = %u, .iova = 0x%" PRIx64 ", .mask = 0x%" PRIx64
            ", .to = 0x%" PRIx64 ", .space = %u, .perm = %s });\n", s->a, iommu_perm_index(s->c, iommu.traits),
            s->v.absolute & ~mask, mask, s->w.absolute & ~mask, s->b, permissions[s->c & 3]);
}

/* Which events: words in the order of their bits. */
static const char *const notifier_flags[] = { "IOMMU_NOTIFIER_UNMAP", "IOMMU_NOTIFIER_MAP",
                                              "IOMMU_NOTIFIER_DEVIOTLB_UNMAP" };

static void put_notifier(FILE *out, struct emit_access *a, const struct model *m, const struct trace_step *s)
{
    struct model_iommu_notifier notifier;

    if (model_iommu_notifier(m, s->a, &notifier)) {
        a->notifiers[s->a].region = s->b;
        a->notifiers[s->a].iommu = (unsigned)notifier.region;
    }
    fprintf(out, "    value = (uint64_t)add_notifier(&n%u, %u, &r%u, ", s->a, s->a, s->b);
    put_flags(out, notifier_flags, 3, (unsigned)s->n);
    fprintf(out, ", 0x%" PRIx64 ", 0x%" PRIx64 ", %u);\n", s->v.absolute, s->w.absolute, s->c);
}

/* An alias may die before the notifiers on it: they are on the IOMMU. */
void emit_iommu_forget_alias(struct emit_access *a, const struct model *m)
{
    for (unsigned i = 0; a->iommus && i < TRACE_IOMMU_NOTIFIERS; i++) {
        struct model_region region;

        if (!model_region(m, a->notifiers[i].region, &region)) {
            a->notifiers[i].region = a->notifiers[i].iommu;
        }
    }
}

static void put_notify(FILE *out, const struct model *m, const struct trace_step *s)
{
    struct model_iommu iommu = { 0 };
    struct model_iommu_notifier notifier;
    unsigned region = s->a, type, perm;
    uint64_t mask;

    if (s->op == TRACE_OP_NOTIFY_ONE && model_iommu_notifier(m, s->a, &notifier)) {
        region = (unsigned)notifier.region;
    }
    model_iommu(m, region, &iommu);
    mask = iommu_block_mask(iommu.granule, s->b);
    iommu_event((unsigned)s->n, &type, &perm);
    fputs("    event = (IOMMUTLBEvent){ .type = ", out);
    put_flags(out, notifier_flags, 3, type);
    fprintf(out, ", .entry = {\n        .target_as = space_if_alive(u%u.space), .iova = 0x%" PRIx64
            ", .translated_addr = 0x%" PRIx64 ",\n        .addr_mask = 0x%" PRIx64 ", .perm = %s } };\n", region,
            s->v.absolute & ~mask, s->w.absolute & ~mask, mask, permissions[perm]);
    if (s->op == TRACE_OP_NOTIFY) {
        fprintf(out, "    memory_region_notify_iommu(&u%u.region, %u, event);\n", s->a, s->c);
    } else {
        fprintf(out, "    memory_region_notify_iommu_one(&n%u.notifier, &event);\n", s->a);
    }
}

bool emit_iommu_call(FILE *out, struct emit_access *a, const struct model *m, const struct trace_step *s)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_IOMMU:
        a->iommu[s->a] = true;
        put_region(out, s);
        return true;
    case TRACE_OP_IOMMU_MAP:
        put_block(out, m, s);
        return true;
    case TRACE_OP_IOMMU_UNMAP:
        fprintf(out, "    drop_blocks(&u%u, 0x%" PRIx64 ", %u);\n", s->a, s->v.absolute, s->c);
        return true;
    case TRACE_OP_NOTIFIER:
        put_notifier(out, a, m, s);
        return true;
    case TRACE_OP_NOTIFIER_DEL:
        fprintf(out, "    memory_region_unregister_iommu_notifier(&r%u, &n%u.notifier);\n", a->notifiers[s->a].region,
                s->a);
        return true;
    case TRACE_OP_NOTIFY:
    case TRACE_OP_NOTIFY_ONE:
        put_notify(out, m, s);
        return true;
    case TRACE_OP_REPLAY:
        fprintf(out, "    memory_region_iommu_replay(memory_region_get_iommu(&r%u), &n%u.notifier);\n",
                a->notifiers[s->a].region, s->a);
        return true;
    case TRACE_OP_IOMMU_QUERY:
        return true;        /* the questions are the answer */
    default:
        return false;
    }
}

bool emit_iommu_answer(FILE *out, FILE *text, const struct trace_step *s, const struct observation *expected)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_NOTIFIER:
        fputs("    say(\"registered: %d\\n\", (int)value);\n", out);
        fprintf(text, "registered: %d\n", (int)expected->value);
        return true;
    case TRACE_OP_IOMMU_QUERY:
        fprintf(out, "    say_iommu(&u%u, ", s->a);
        emit_attrs(out, s->c);
        fputs(");\n", out);
        fprintf(text, "page 0x%" PRIx64 " indexes %d index %d attribute %d masks %d %d\n", expected->value,
                (int)expected->numbers[0], (int)expected->numbers[1], (int)expected->numbers[2],
                (int)(uint32_t)expected->numbers[3], (int)(expected->numbers[3] >> 32));
        return true;
    default:
        return false;
    }
}
