/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mtree_info: the trees of all address spaces, or their views, as text
 * (section 10 of the region rules).  The order of everything follows from
 * creation order, addresses of guests and names, never from host addresses.
 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "base/state.h"
#include "hw/qdev-core.h"
#include "topology/topology.h"

/* A line on its way out; names may be of any length. */
typedef struct {
    GString *line;
    bool owner;
    bool disabled;
    bool dispatch_tree;
} Printer;

/* A region that waits to be printed, and what it is relative to. */
typedef struct {
    MemoryRegion *mr;
    hwaddr base;
    unsigned level;
    size_t order;               /* among its siblings */
} Node;

typedef struct {
    Node *nodes;
    size_t count, capacity;
} NodeStack;

/* Alias targets in the order they were met, each once (R-MT-9). */
typedef struct {
    GHashTable *known;          /* only asked "known?" */
    MemoryRegion **regions;
    size_t count, capacity;
} TargetQueue;

/* An address space, and what it is grouped by: its root, or its view. */
typedef struct {
    AddressSpace *as;
    const void *subject;
    size_t index;               /* in creation order */
    size_t leader;              /* index of the first space with the same subject */
} Space;

static void line_end(Printer *printer)
{
    g_string_append_c(printer->line, '\n');
    memcore_print(printer->line->str);
    g_string_truncate(printer->line, 0);
}

static const char *printed_name(const MemoryRegion *mr)
{
    return mr->name ? mr->name : "(null)";
}

/* R-MT-2 */
static const char *kind(const MemoryRegion *mr)
{
    while (mr->alias) {
        mr = mr->alias;
    }
    if (mr->ram_device) {
        return "ramd";
    }
    if (mr->rom_device && mr->romd_mode) {
        return "romd";
    }
    if (mr->ram) {
        return mr->readonly ? "rom" : "ram";
    }
    return "i/o";
}

/* Distance from the first to the last byte; of an empty region too it is printed as 0. */
static uint64_t last_byte(const MemoryRegion *mr)
{
    return mr->size ? (uint64_t)(mr->size - 1) : 0;
}

static void append_object(Printer *printer, const char *role, Object *object)
{
    DeviceState *device = (DeviceState *)object_dynamic_cast(object, TYPE_DEVICE);

    g_string_append_printf(printer->line, " %s:{%s", role, device ? "dev" : "obj");
    if (device && device->id) {
        g_string_append_printf(printer->line, " id=%s}", device->id);
        return;
    }
    char *path = object_get_canonical_path(object);

    if (path) {
        g_string_append_printf(printer->line, " path=%s}", path);
    } else {
        g_string_append_printf(printer->line, " type=%s}", object_get_typename(object));
    }
    g_free(path);
}

/* R-MT-3 */
static void append_owner(Printer *printer, const MemoryRegion *mr)
{
    Object *parent = mr->parent_obj.parent;

    if (!printer->owner) {
        return;
    }
    if (!mr->owner && !parent) {
        g_string_append(printer->line, " orphan");
        return;
    }
    if (mr->owner) {
        append_object(printer, "owner", mr->owner);
    }
    if (parent && parent != mr->owner) {
        append_object(printer, "parent", parent);
    }
}

/* --- trees --------------------------------------------------------------------- */

static void push(NodeStack *stack, Node node)
{
    if (stack->count == stack->capacity) {
        stack->capacity = stack->capacity ? 2 * stack->capacity : 64;
        stack->nodes = g_renew(Node, stack->nodes, stack->capacity);
    }
    stack->nodes[stack->count++] = node;
}

static void queue_target(TargetQueue *queue, MemoryRegion *target)
{
    if (!g_hash_table_add(queue->known, target)) {
        return;
    }
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity ? 2 * queue->capacity : 16;
        queue->regions = g_renew(MemoryRegion *, queue->regions, queue->capacity);
    }
    queue->regions[queue->count++] = target;
}

/* Last to be printed first: the stack turns it round (R-MT-7). */
static int compare_nodes(const void *left_pointer, const void *right_pointer)
{
    const Node *left = left_pointer;
    const Node *right = right_pointer;

    if (left->mr->addr != right->mr->addr) {
        return left->mr->addr < right->mr->addr ? 1 : -1;
    }
    return (left->order < right->order) - (left->order > right->order);
}

static void push_children(NodeStack *stack, const Node *parent, hwaddr start)
{
    size_t first = stack->count;
    unsigned level = parent->level + 1;
    MemoryRegion *child;

    REGION_FOREACH_CHILD(child, parent->mr) {
        push(stack, (Node) { .mr = child, .base = start, .level = level, .order = stack->count - first });
    }
    if (stack->count - first > 1) {
        qsort(stack->nodes + first, stack->count - first, sizeof(Node), compare_nodes);
    }
}

static void print_node(Printer *printer, const Node *node, hwaddr start)
{
    const MemoryRegion *mr = node->mr;
    hwaddr end = start + last_byte(mr);

    if (start < node->base || end < start) {
        g_string_append(printer->line, "[DETECTED OVERFLOW!] ");
    }
    g_string_append_printf(printer->line, "%*s" HWADDR_FMT_plx "-" HWADDR_FMT_plx " (prio %d, %s%s): ",
                           (int)(2 * node->level), "", start, end, mr->priority, mr->nonvolatile ? "nv-" : "",
                           kind(mr));
    if (mr->alias) {
        g_string_append_printf(printer->line, "alias %s @%s " HWADDR_FMT_plx "-" HWADDR_FMT_plx,
                               printed_name(mr), printed_name(mr->alias), mr->alias_offset,
                               mr->alias_offset + last_byte(mr));
    } else {
        g_string_append(printer->line, printed_name(mr));
    }
    if (!mr->enabled) {
        g_string_append(printer->line, " [disabled]");
    }
    append_owner(printer, mr);
    line_end(printer);
}

/*
 * The region and all below it.  A hidden region leaves no line, not even its
 * overflow mark (R-MT-10), but its children are printed (R-MT-8) and its
 * alias target is queued (R-MT-9).
 */
static void print_tree(Printer *printer, TargetQueue *queue, MemoryRegion *root)
{
    NodeStack stack = { 0 };

    push(&stack, (Node) { .mr = root, .level = 1 });
    while (stack.count > 0) {
        Node node = stack.nodes[--stack.count];
        hwaddr start = node.base + node.mr->addr;

        if (node.mr->alias) {
            queue_target(queue, node.mr->alias);
        }
        if (node.mr->enabled || printer->disabled) {
            print_node(printer, &node, start);
        }
        push_children(&stack, &node, start);
    }
    g_free(stack.nodes);
    line_end(printer);
}

/* --- address spaces in groups ---------------------------------------------------- */

static int compare_numbers(size_t left, size_t right)
{
    return (left > right) - (left < right);
}

static int compare_creation(const void *left_pointer, const void *right_pointer)
{
    const Space *left = left_pointer;
    const Space *right = right_pointer;
    const int groups = compare_numbers(left->leader, right->leader);

    return groups ? groups : compare_numbers(left->index, right->index);
}

static int compare_names(const void *left_pointer, const void *right_pointer)
{
    const Space *left = left_pointer;
    const Space *right = right_pointer;
    const int names = left->leader == right->leader ? strcmp(left->as->name, right->as->name) : 0;

    return names ? names : compare_creation(left, right);
}

/* All spaces, those with one subject side by side, groups in the order of their first space's creation. */
static Space *group_spaces(bool by_view, int (*compare)(const void *, const void *), size_t *count)
{
    GHashTable *leaders = g_hash_table_new(g_direct_hash, g_direct_equal);  /* subject -> Space.leader */
    GArray *spaces = g_array_new(FALSE, FALSE, sizeof(Space));
    AddressSpace *as;

    ADDRESS_SPACE_FOREACH(as) {
        void *subject = by_view ? (void *)address_space_to_flatview(as) : (void *)as->root;
        void *leader;
        Space space = { .as = as, .subject = subject, .index = spaces->len };

        if (!g_hash_table_lookup_extended(leaders, subject, NULL, &leader)) {
            leader = GSIZE_TO_POINTER(spaces->len);
            g_hash_table_insert(leaders, subject, leader);
        }
        space.leader = GPOINTER_TO_SIZE(leader);
        g_array_append_val(spaces, space);
    }
    g_hash_table_destroy(leaders);
    g_array_sort(spaces, compare);
    *count = spaces->len;
    return (Space *)g_array_free(spaces, FALSE);
}

/* One past the last space of the group that begins at `first`. */
static size_t group_end(const Space *spaces, size_t count, size_t first)
{
    size_t end = first + 1;

    while (end < count && spaces[end].leader == spaces[first].leader) {
        end++;
    }
    return end;
}

static void print_trees(Printer *printer)
{
    TargetQueue queue = { .known = g_hash_table_new(g_direct_hash, g_direct_equal) };
    size_t count;
    Space *spaces = group_spaces(false, compare_names, &count);

    for (size_t first = 0, end; first < count; first = end) {
        end = group_end(spaces, count, first);
        for (size_t i = first; i < end; i++) {
            g_string_append_printf(printer->line, "address-space: %s", spaces[i].as->name);
            line_end(printer);
        }
        print_tree(printer, &queue, spaces[first].as->root);
    }
    for (size_t i = 0; i < queue.count; i++) {
        g_string_append_printf(printer->line, "memory-region: %s", printed_name(queue.regions[i]));
        line_end(printer);
        print_tree(printer, &queue, queue.regions[i]);
    }
    g_free(spaces);
    g_free(queue.regions);
    g_hash_table_destroy(queue.known);
}

/* --- views ------------------------------------------------------------------------ */

static void print_range(Printer *printer, const FlatRange *range)
{
    const MemoryRegion *mr = range->mr;

    g_string_append_printf(printer->line, "  " HWADDR_FMT_plx "-" HWADDR_FMT_plx " (prio %d, %s%s): %s",
                           range->start, range->last, mr->priority, range->nonvolatile ? "nv-" : "",
                           range->readonly ? "rom" : kind(mr), printed_name(mr));
    if (range->offset) {
        g_string_append_printf(printer->line, " @" HWADDR_FMT_plx, range->offset);
    }
    append_owner(printer, mr);
    line_end(printer);
}

static void print_section(Printer *printer, size_t number, hwaddr start, hwaddr last, const MemoryRegion *mr,
                          const MemoryRegion *root)
{
    /* R-MT-13: by number alone, whatever the section is */
    static const char *const labels[] = { " [unassigned]", " [not dirty]", " [ROM]", " [watch]" };

    g_string_append_printf(printer->line, "      #%zu @" HWADDR_FMT_plx ".." HWADDR_FMT_plx " %s%s%s%s",
                           number, start, last, mr && mr->name ? mr->name : "(noname)",
                           number < G_N_ELEMENTS(labels) ? labels[number] : "",
                           mr && mr == root ? " [ROOT]" : "", mr && mr->is_iommu ? " [iommu]" : "");
    line_end(printer);
}

/* R-MT-13: memcore has no page table; a lookup goes straight to the ranges, which are the sections. */
static void print_dispatch(Printer *printer, const FlatView *view)
{
    const MemoryRegion *root = flatview_root(view);
    const FlatRange *range;
    FlatCursor cursor;
    size_t number = 0;

    g_string_append(printer->line, "  Dispatch");
    line_end(printer);
    g_string_append(printer->line, "    Physical sections");
    line_end(printer);
    print_section(printer, number++, 0, HWADDR_MAX, NULL, root);
    FLATVIEW_FOREACH(range, &cursor, view) {
        print_section(printer, number++, range->start, range->last, range->mr, root);
    }
    g_string_append_printf(printer->line, "    Nodes (none, %zu ranges are searched)", flatview_count(view));
    line_end(printer);
}

static void print_view(Printer *printer, const FlatView *view)
{
    const MemoryRegion *root = flatview_root(view);
    const FlatRange *range;
    FlatCursor cursor;

    g_string_append_printf(printer->line, " Root memory region: %s", root ? printed_name(root) : "(none)");
    line_end(printer);
    if (flatview_count(view) == 0) {
        g_string_append(printer->line, "  No rendered FlatView");
        line_end(printer);
    } else {
        FLATVIEW_FOREACH(range, &cursor, view) {
            print_range(printer, range);
        }
        if (printer->dispatch_tree) {
            print_dispatch(printer, view);
        }
    }
    line_end(printer);
}

static void print_views(Printer *printer)
{
    size_t count, number = 0;
    Space *spaces = group_spaces(true, compare_creation, &count);

    for (size_t first = 0, end; first < count; first = end) {
        end = group_end(spaces, count, first);
        g_string_append_printf(printer->line, "FlatView #%zu", number++);
        line_end(printer);
        for (size_t i = first; i < end; i++) {
            const AddressSpace *as = spaces[i].as;

            g_string_append_printf(printer->line, " AS \"%s\", root: %s", as->name, printed_name(as->root));
            if (as->root->alias) {
                g_string_append_printf(printer->line, ", alias %s", printed_name(as->root->alias));
            }
            line_end(printer);
        }
        print_view(printer, spaces[first].subject);
    }
    g_free(spaces);
}

void mtree_info(bool flatview, bool dispatch_tree, bool owner, bool disabled)
{
    Printer printer = { .owner = owner, .disabled = disabled, .dispatch_tree = dispatch_tree };

    memcore_require_big_lock("R-TX-1");
    printer.line = g_string_new(NULL);
    if (flatview) {
        print_views(&printer);
    } else {
        print_trees(&printer);
    }
    g_string_free(printer.line, TRUE);
}
