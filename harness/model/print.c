/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chapter 10: the text of mtree_info, without the dispatch part. */
#include "model/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct printer {
    const struct model *m;
    FILE *out;
    bool owner, disabled;
    struct slot_list targets;   /* alias targets met, each once (R-MT-9) */
};

static const char *name_of(const struct printer *p, int slot, char buffer[16])
{
    const char *const name = region_name(p->m, slot, buffer);

    return name ? name : "(null)";      /* R-OBJ-3 */
}

/* R-MT-2 */
static const char *kind_of(const struct model *m, int slot)
{
    const struct region *const r = &m->regions[slot];

    if (r->kind == KIND_ALIAS) {
        return kind_of(m, r->target);
    }
    if (r->kind == KIND_RAM_DEVICE) {
        return "ramd";
    }
    if (r->kind == KIND_ROM_DEVICE && r->romd) {
        return "romd";
    }
    if (region_is_ram(r)) {
        return r->readonly ? "rom" : "ram";
    }
    return "i/o";
}

static uint64_t last(wide size)
{
    return size ? (uint64_t)(size - 1) : 0;
}

/* R-MT-3 */
static void print_owner(const struct printer *p, const struct region *r)
{
    if (!p->owner) {
        return;
    }
    if (r->owner != NO_SLOT) {
        fprintf(p->out, " owner:{dev id=o%d}", r->owner);
    } else if (r->naming != NAMING_UNNAMED) {
        fprintf(p->out, " parent:{obj path=/machine/unattached}");
    } else {
        fprintf(p->out, " orphan");
    }
}

/* R-MT-7: y is to be printed before x, which comes first in sibling order. */
static bool printed_before(const struct region *y, const struct region *x)
{
    return y->address != x->address ? y->address < x->address : y->priority > x->priority;
}

static struct slot_list print_order(const struct model *m, const struct slot_list *children)
{
    struct slot_list sorted = { 0 };

    for (size_t i = 0; i < children->count; i++) {
        const unsigned child = children->slots[i];
        size_t at = sorted.count;
        while (at > 0 && printed_before(&m->regions[child], &m->regions[sorted.slots[at - 1]])) {
            at--;
        }
        slot_list_insert(&sorted, at, child);
    }
    return sorted;
}

static void print_node(struct printer *p, unsigned slot, unsigned level, uint64_t base)
{
    const struct model *const m = p->m;
    const struct region *const r = &m->regions[slot];
    const bool shown = r->enabled || p->disabled;       /* R-MT-8 */
    const uint64_t start = base + r->address;           /* R-MT-4: mod 2^64 */
    const uint64_t end = start + last(r->size);
    char name[16], target[16];

    /* R-MT-10: in 7.2 a hidden region's mark ends up before the next printed line. */
    if ((start < base || end < start) && (shown || m->profile == MODEL_PROFILE_QEMU_7_2)) {
        fprintf(p->out, "[DETECTED OVERFLOW!] ");
    }
    if (r->kind == KIND_ALIAS && !slot_list_has(&p->targets, (unsigned)r->target)) {
        slot_list_append(&p->targets, (unsigned)r->target);
    }
    if (shown) {
        fprintf(p->out, "%*s%016" PRIx64 "-%016" PRIx64 " (prio %" PRId32 ", %s%s): ", (int)(2 * level), "",
                start, end, r->priority, r->nonvolatile ? "nv-" : "", kind_of(m, (int)slot));
        if (r->kind == KIND_ALIAS) {                    /* R-MT-5 */
            fprintf(p->out, "alias %s @%s %016" PRIx64 "-%016" PRIx64, name_of(p, (int)slot, name),
                    name_of(p, r->target, target), r->alias_offset, r->alias_offset + last(r->size));
        } else {
            fprintf(p->out, "%s", name_of(p, (int)slot, name));
        }
        fprintf(p->out, "%s", r->enabled ? "" : " [disabled]");
        print_owner(p, r);
        fprintf(p->out, "\n");
    }
    struct slot_list children = print_order(m, &r->children);
    for (size_t i = 0; i < children.count; i++) {
        print_node(p, children.slots[i], level + 1, start);
    }
    slot_list_free(&children);
}

static int compare_names(const void *x, const void *y)
{
    return strcmp(x, y);
}

/* R-MT-6: the spaces of one root share a group, their names sorted as text. */
static void print_group(struct printer *p, int root)
{
    char names[TRACE_SPACES][8];
    size_t count = 0;

    for (size_t i = 0; i < p->m->space_order.count; i++) {
        const unsigned space = p->m->space_order.slots[i];
        if (p->m->spaces[space].root == root) {
            snprintf(names[count++], sizeof(names[0]), "as%u", space);
        }
    }
    qsort(names, count, sizeof(names[0]), compare_names);
    for (size_t i = 0; i < count; i++) {
        fprintf(p->out, "address-space: %s\n", names[i]);
    }
    print_node(p, (unsigned)root, 1, 0);
    fprintf(p->out, "\n");
}

static void print_tree(struct printer *p)
{
    const struct model *const m = p->m;
    struct slot_list roots = { 0 };
    char name[16];

    for (size_t i = 0; i < m->space_order.count; i++) {
        const int root = m->spaces[m->space_order.slots[i]].root;
        if (!slot_list_has(&roots, (unsigned)root)) {
            slot_list_append(&roots, (unsigned)root);
            print_group(p, root);
        }
    }
    for (size_t i = 0; i < p->targets.count; i++) {     /* the list grows meanwhile */
        const unsigned target = p->targets.slots[i];
        fprintf(p->out, "memory-region: %s\n", name_of(p, (int)target, name));
        print_node(p, target, 1, 0);
        fprintf(p->out, "\n");
    }
    slot_list_free(&roots);
    slot_list_free(&p->targets);
}

/* R-MT-12 */
static void print_range(const struct printer *p, const struct view_range *range)
{
    const struct region *const r = &p->m->regions[range->region];
    char name[16];

    fprintf(p->out, "  %016" PRIx64 "-%016" PRIx64 " (prio %" PRId32 ", %s%s): %s", range->address,
            range->address + last(range->size), r->priority, range->nonvolatile ? "nv-" : "",
            range->readonly ? "rom" : kind_of(p->m, range->region), name_of(p, range->region, name));
    if (range->offset) {
        fprintf(p->out, " @%016" PRIx64, range->offset);
    }
    print_owner(p, r);
    fprintf(p->out, "\n");
}

static void print_view(const struct printer *p, const struct flat_view *f, unsigned number)
{
    const struct model *const m = p->m;
    char name[16];

    fprintf(p->out, "FlatView #%u\n", number);
    for (size_t i = 0; i < m->space_order.count; i++) {
        const unsigned slot = m->space_order.slots[i];
        const struct space *const s = &m->spaces[slot];
        if (s->view != f) {
            continue;
        }
        fprintf(p->out, " AS \"as%u\", root: %s", slot, name_of(p, s->root, name));
        if (m->regions[s->root].kind == KIND_ALIAS) {
            fprintf(p->out, ", alias %s", name_of(p, m->regions[s->root].target, name));
        }
        fprintf(p->out, "\n");
    }
    fprintf(p->out, " Root memory region: %s\n",
            f->view.root == NO_SLOT ? "(none)" : name_of(p, f->view.root, name));
    if (f->view.count == 0) {
        fprintf(p->out, "  No rendered FlatView\n");
    }
    for (size_t i = 0; i < f->view.count; i++) {
        print_range(p, &f->view.ranges[i]);
    }
    fprintf(p->out, "\n");
}

/* R-MT-11 */
static void print_views(const struct printer *p)
{
    const struct model *const m = p->m;
    unsigned number = 0;

    for (size_t i = 0; i < m->space_order.count; i++) {
        const struct flat_view *const f = m->spaces[m->space_order.slots[i]].view;
        bool printed = false;
        for (size_t k = 0; k < i; k++) {
            printed |= m->spaces[m->space_order.slots[k]].view == f;
        }
        if (!printed) {
            print_view(p, f, number++);
        }
    }
}

void print_mtree(const struct model *m, bool flatview, bool owner, bool disabled, FILE *out)
{
    struct printer p = { .m = m, .out = out, .owner = owner, .disabled = disabled };

    if (flatview) {
        print_views(&p);
    } else {
        print_tree(&p);
    }
}
