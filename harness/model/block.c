/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RAM blocks: R-RAM, R-FILE, R-RES, R-NOTI, and giving memory back (R-DISC-4 to R-DISC-9). */
#include "model/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exec/cpu-common.h"

/* R-RAM-17: blocks start on a word of the bitmaps. */
#define BLOCK_UNIT (64 * TARGET_PAGE_SIZE)

enum { ID_LENGTH_MAX = 255 };

static uint64_t round_up(uint64_t x, uint64_t to)
{
    return (x + to - 1) / to * to;
}

/* R-RAM-16: the smallest gap that is large enough, the first of equals in list order. */
uint64_t block_place(const struct model *m, uint64_t max)
{
    uint64_t best = 0, best_gap = UINT64_MAX;
    bool found = false;

    for (size_t i = 0; i < m->block_order.count; i++) {
        const struct region *const b = &m->regions[m->block_order.slots[i]];
        const uint64_t candidate = round_up(b->block_offset + b->block_max, BLOCK_UNIT);
        uint64_t next = UINT64_MAX;

        for (size_t k = 0; k < m->block_order.count; k++) {
            const uint64_t other = m->regions[m->block_order.slots[k]].block_offset;
            if (other >= candidate && other < next) {
                next = other;
            }
        }
        if (next - candidate >= max && (!found || next - candidate < best_gap)) {
            found = true;
            best = candidate;
            best_gap = next - candidate;
        }
    }
    return best;
}

/* --- notifiers ---------------------------------------------------------------- */

static bool is_callers(const struct region *r)
{
    return r->kind == KIND_RAM_PTR || r->kind == KIND_RAM_DEVICE;
}

static bool is_extended(unsigned kind)
{
    return kind == NOTIFIER_EXTENDED || kind == NOTIFIER_EXTENDED_ONCE;
}

static void tell(struct model *m, unsigned notifier, enum event_kind kind, int region, uint64_t used, uint64_t max)
{
    struct event e;

    event_init(&e, kind);
    e.number = (int)notifier;
    e.region = region;
    e.address = is_extended(m->ram_notifiers[notifier].kind) ? used : 0;
    e.length = max;
    event_log_append(m->out, &e);
}

static void tell_of_block(struct model *m, unsigned notifier, enum event_kind kind, unsigned region)
{
    const struct region *const r = &m->regions[region];

    tell(m, notifier, kind, is_callers(r) ? NO_SLOT : (int)region, r->block_length, r->block_max);  /* R-NOTI-4, -5 */
}

static void tell_of_all_blocks(struct model *m, unsigned notifier, enum event_kind kind)
{
    for (size_t i = 0; i < m->block_order.count; i++) {
        tell_of_block(m, notifier, kind, m->block_order.slots[i]);
    }
}

/* R-NOTI-2 */
static void notifier_remove(struct model *m, unsigned notifier)
{
    m->ram_notifiers[notifier].live = false;
    slot_list_remove(&m->live_ram_notifiers, notifier);
    slot_list_remove(&m->ram_notifier_order, notifier);
    tell_of_all_blocks(m, notifier, EVENT_BLOCK_REMOVED);
}

/* R-NOTI-1 */
static void notifier_add(struct model *m, unsigned notifier, unsigned kind)
{
    m->ram_notifiers[notifier] = (struct ram_notifier){ .live = true, .kind = kind };
    slot_list_insert_sorted(&m->live_ram_notifiers, notifier);
    slot_list_insert(&m->ram_notifier_order, 0, notifier);
    tell_of_all_blocks(m, notifier, EVENT_BLOCK_ADDED);
}

/* R-NOTI-3: newest first; region NO_SLOT: of memory that is no block's, `size` bytes. */
static void tell_everybody(struct model *m, enum event_kind kind, int region, uint64_t size)
{
    uint16_t order[TRACE_RAM_NOTIFIERS];
    const size_t count = m->ram_notifier_order.count;

    for (size_t i = 0; i < count; i++) {
        order[i] = m->ram_notifier_order.slots[i];
    }
    for (size_t i = 0; i < count; i++) {
        const unsigned notifier_kind = m->ram_notifiers[order[i]].kind;
        if (region == NO_SLOT) {
            tell(m, order[i], kind, NO_SLOT, size, size);       /* R-NOTI-7 */
        } else {
            tell_of_block(m, order[i], kind, (unsigned)region);
        }
        if (kind == EVENT_BLOCK_ADDED &&
            (notifier_kind == NOTIFIER_SEED_ONCE || notifier_kind == NOTIFIER_EXTENDED_ONCE)) {
            notifier_remove(m, order[i]);
        }
    }
}

void block_added(struct model *m, unsigned region)
{
    tell_everybody(m, EVENT_BLOCK_ADDED, (int)region, 0);
}

void block_removed(struct model *m, unsigned region)
{
    if (m->regions[region].has_block) {
        tell_everybody(m, EVENT_BLOCK_REMOVED, (int)region, 0);
    }
}

/* --- files --------------------------------------------------------------------- */

static bool is_power_of_two(uint64_t x)
{
    return (x & (x - 1)) == 0;
}

/* R-FILE, R-RAM-3: what makes the initialiser fail. */
static bool file_is_refused(const struct trace_step *s, uint64_t length)
{
    const struct file_flags flags = block_file_flags(s->c);
    const uint64_t used = round_up(s->v.absolute, HOST_PAGE), align = flags.alignment;
    const bool path = block_file_has_path((unsigned)s->n), readonly = path && flags.readonly;

    if (flags.unknown || s->n == FILE_PIPE) {
        return true;
    }
    if (path && (align % HOST_PAGE || !is_power_of_two(align))) {       /* R-FILE-2 */
        return true;
    }
    if (readonly && (s->n == FILE_PATH_EMPTY || s->n == FILE_DIRECTORY)) {      /* R-FILE-7, R-FILE-8 */
        return true;
    }
    return s->w.absolute % HOST_PAGE || (length && length < s->w.absolute + used);     /* R-FILE-9 */
}

/* A region that was not to be is one that goes (R-RAM-10, R-OBJ-9); the file is as long as it was (R-FILE-5). */
static void come_to_nothing(struct model *m)
{
    transaction_begin(m);
    transaction_commit(m);
}

static void file_refused(struct model *m, const struct trace_step *s, FILE *out)
{
    come_to_nothing(m);
    fprintf(out, "refused, the file has 0x%" PRIx64 " bytes\n",
            block_file_length((unsigned)s->n, s->w.absolute, s->v.absolute));
}

static void file_new(struct model *m, const struct trace_step *s, FILE *out)
{
    const bool path = block_file_has_path((unsigned)s->n);
    const uint64_t length = block_file_length((unsigned)s->n, s->w.absolute, s->v.absolute);
    const struct file_flags flags = block_file_flags(s->c);
    const uint64_t align = path ? flags.alignment : 0;
    struct region *r;

    if (file_is_refused(s, length)) {
        file_refused(m, s, out);
        return;
    }
    r = region_new(m, s->a, KIND_RAM, s->v.absolute, s->b, NAMING_PLAIN);
    r->shared = flags.shared;
    r->noreserve = flags.noreserve;
    r->protected = flags.protected;
    r->mapped_readonly = r->readonly = path && flags.readonly;    /* R-FILE-6 */
    region_give_block(m, s->a, 0, false, align > HOST_PAGE ? align : HOST_PAGE);        /* R-RAM-5 */
    r->file.there = true;
    r->file.offset = s->w.absolute;
    r->file.length = length ? length : s->w.absolute + r->block_length;         /* R-FILE-3 */
    memset(r->file.marks, 0, sizeof(r->file.marks));
    for (unsigned page = 0; page < BLOCK_FILE_MARKS && page * HOST_PAGE < length; page++) {
        const uint64_t at = page * HOST_PAGE;
        r->file.marks[page] = block_file_mark(page);
        if (at >= r->file.offset && at - r->file.offset < r->block_length) {
            memory_store(m, s->a, at - r->file.offset, r->file.marks[page]);
        }
    }
    fprintf(out, "made, the file has 0x%" PRIx64 " bytes\n", r->file.length);
    block_added(m, s->a);
}

/* The first bytes of the file's first pages. */
static void file_print(const struct model *m, unsigned region, FILE *out)
{
    const struct region *const r = &m->regions[region];

    fprintf(out, "file 0x%" PRIx64 " bytes:", r->file.length);
    for (unsigned page = 0; page < BLOCK_FILE_MARKS && page * HOST_PAGE < r->file.length; page++) {
        const uint64_t at = page * HOST_PAGE;
        const bool shown = r->shared && at >= r->file.offset && at - r->file.offset < r->block_length;
        fprintf(out, " %02x",
                shown ? memory_byte((struct model *)m, region, at - r->file.offset) : r->file.marks[page]);
    }
    fprintf(out, "\n");
}

/* --- sizes ---------------------------------------------------------------------- */

static void callback(struct model *m, unsigned region, uint64_t size)
{
    struct event e;

    if (m->regions[region].resizeable) {
        event_init(&e, EVENT_BLOCK_CALLBACK);
        e.region = (int)region;
        e.length = size;
        e.number = 1;
        event_log_append(m->out, &e);
    }
}

/* False: an Error, and nothing changed. */
static bool resize(struct model *m, unsigned region, uint64_t size)
{
    struct region *const r = &m->regions[region];
    uint64_t length;

    if (!r->has_block || size > UINT64_MAX - (HOST_PAGE - 1)) {         /* R-RES-1 */
        return false;
    }
    length = round_up(size, HOST_PAGE);
    if (length == r->block_length) {                                    /* R-RES-2 */
        if (r->size != size) {
            region_set_size(m, region, size);
            callback(m, region, size);
        }
        return true;
    }
    if (!r->resizeable || length > r->block_max) {                      /* R-RES-3 */
        return false;
    }
    for (size_t i = 0; i < m->ram_notifier_order.count; i++) {          /* R-RES-4 */
        const unsigned notifier = m->ram_notifier_order.slots[i];
        if (is_extended(m->ram_notifiers[notifier].kind)) {
            tell(m, notifier, EVENT_BLOCK_RESIZED, (int)region, r->block_length, length);
        }
    }
    dirty_resize(m, region, length);
    region_set_size(m, region, size);
    callback(m, region, size);
    return true;
}

/* --- names ----------------------------------------------------------------------- */

/* R-RAM-13: an owner's path is its name. */
static void own_id(unsigned region, int owner, char buffer[ID_LENGTH_MAX + 1])
{
    char path[16] = "";

    if (owner != NO_SLOT) {
        snprintf(path, sizeof(path), "o%d/", owner);
    }
    snprintf(buffer, ID_LENGTH_MAX + 1, "%sr%u", path, region);
}

static const char *id_of(const struct model *m, unsigned region, char buffer[ID_LENGTH_MAX + 1])
{
    const enum id_name id = m->regions[region].id;

    if (id == ID_OWN) {
        own_id(region, m->regions[region].owner, buffer);
    } else {
        snprintf(buffer, ID_LENGTH_MAX + 1, "%s", id == ID_NONE ? "" : block_id_given(id));
    }
    return buffer;
}

static bool is_taken(const struct model *m, const char *given)
{
    char has[ID_LENGTH_MAX + 1];

    for (size_t i = 0; i < m->block_order.count; i++) {
        if (!strcmp(given, id_of(m, m->block_order.slots[i], has))) {
            return true;
        }
    }
    return false;
}

bool model_id_taken(const struct model *m, unsigned idname)
{
    char given[ID_LENGTH_MAX + 1];

    snprintf(given, sizeof(given), "%s", block_id_given((enum id_name)idname));
    return is_taken(m, given);
}

bool block_refused_by_name(struct model *m, unsigned region, unsigned owner)
{
    char given[ID_LENGTH_MAX + 1];

    own_id(region, owner < TRACE_OWNERS ? (int)owner : NO_SLOT, given);
    if (!is_taken(m, given)) {
        return false;
    }
    come_to_nothing(m);
    return true;
}

/* --- bytes ------------------------------------------------------------------------- */

/* R-DISC-4 to R-DISC-8 */
static int discard(struct model *m, unsigned region, uint64_t start, uint64_t length, struct observation *expected)
{
    struct region *const r = &m->regions[region];

    if (start % HOST_PAGE || length % HOST_PAGE || start > r->block_max || length > r->block_max - start) {
        return -1;
    }
    if (r->mapped_readonly) {
        return -1;                      /* R-DISC-7: memcore refuses */
    }
    memory_zero(m, region, start, length);
    if (length) {
        observation_touch(expected, (int)region, start, 1);
        observation_touch(expected, (int)region, start + length - 1, 1);
    }
    for (unsigned page = 0; r->file.there && page < BLOCK_FILE_MARKS; page++) {         /* R-DISC-6 */
        const uint64_t at = page * HOST_PAGE;
        if (at >= r->file.offset + start && at < r->file.offset + start + length) {
            r->file.marks[page] = 0;
        }
    }
    return 0;
}

/* R-RAM-32: what the file has comes back, everything else is lost. */
static void remap(struct model *m, unsigned region, uint64_t start, uint64_t length, struct observation *expected)
{
    const struct region *const r = &m->regions[region];

    if (is_callers(r) || (r->file.there && r->shared)) {
        return;
    }
    memory_zero(m, region, start, length);
    for (unsigned page = 0; r->file.there && page < BLOCK_FILE_MARKS; page++) {
        const uint64_t at = page * HOST_PAGE;
        if (at >= r->file.offset + start && at < r->file.offset + start + length) {
            memory_store(m, region, at - r->file.offset, r->file.marks[page]);
        }
    }
    observation_touch(expected, (int)region, start, 1);
    observation_touch(expected, (int)region, start + length - 1, 1);
}

static void poke(struct model *m, const struct trace_step *s, struct observation *expected)
{
    for (uint64_t i = 0; i < s->w.absolute; i++) {
        memory_store(m, s->a, s->v.absolute + i, access_data_byte(s->n, i));
    }
    if (s->w.absolute) {
        observation_touch(expected, s->a, s->v.absolute, s->w.absolute);
    }
}

/* --- questions ------------------------------------------------------------------------ */

static void print_block(const struct model *m, unsigned region, FILE *out)
{
    const struct region *const r = &m->regions[region];
    char id[ID_LENGTH_MAX + 1];

    fprintf(out, "r%u '%s' offset 0x%" PRIx64 " used 0x%" PRIx64 " max 0x%" PRIx64 " page 0x%x%s%s%s%s%s\n", region,
            id_of(m, region, id), r->block_offset, r->block_length, r->block_max, (unsigned)HOST_PAGE,
            r->shared ? " shared" : "",
            r->noreserve ? " noreserve" : "", r->migratable ? " migratable" : "", r->uf_zeroable ? " uf_zeroable" : "",
            r->file.there ? " fd" : "");
}

static void print_blocks(const struct model *m, FILE *out)
{
    for (size_t i = 0; i < m->block_order.count; i++) {
        print_block(m, m->block_order.slots[i], out);
    }
    fprintf(out, "version %" PRIu32 " largest page 0x%x\n", m->block_version,
            m->block_order.count ? (unsigned)HOST_PAGE : 0);
}

/* R-RAM-21 to R-RAM-23; behind the last byte nobody is found. */
static void print_lookup(const struct model *m, const struct trace_step *s, FILE *out)
{
    const struct region *const r = &m->regions[s->a];
    const uint64_t offset = s->v.absolute;

    if (offset == r->block_max) {
        fprintf(out, "nothing\n");
        return;
    }
    fprintf(out, "r%u offset 0x%" PRIx64 " region r%u offset 0x%" PRIx64 " ram_addr 0x%" PRIx64 "\n", s->a,
            s->n ? offset - offset % (uint64_t)TARGET_PAGE_SIZE : offset, s->a, offset, r->block_offset + offset);
}

static void set_flag(struct region *r, int flag)
{
    if (flag == BLOCK_UF_ZEROABLE) {
        r->uf_zeroable = true;
    } else {
        r->migratable = flag == BLOCK_MIGRATABLE;
    }
}

static void apply(struct model *m, const struct trace_step *s, struct observation *expected, FILE *out)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_RAM_FILE:
        file_new(m, s, out);
        break;
    case TRACE_OP_RESIZE:
        if (resize(m, s->a, s->v.absolute)) {
            fprintf(out, "resized\n");
            dirty_show(&m->regions[s->a], m->regions[s->a].block_length, out);
        } else {
            fprintf(out, "refused\n");
        }
        break;
    case TRACE_OP_IDSTR:
        m->regions[s->a].id = (enum id_name)s->n;
        break;
    case TRACE_OP_BLOCK_FLAG:
        set_flag(&m->regions[s->a], s->n);
        break;
    case TRACE_OP_BLOCK:
        print_block(m, s->a, out);
        if (m->regions[s->a].file.there) {
            file_print(m, s->a, out);
        }
        break;
    case TRACE_OP_BLOCKS:
        print_blocks(m, out);
        break;
    case TRACE_OP_LOOKUP:
        print_lookup(m, s, out);
        break;
    case TRACE_OP_POKE:
        poke(m, s, expected);
        break;
    case TRACE_OP_MSYNC:        /* R-RAM-27: nothing that could be seen */
        break;
    case TRACE_OP_DISCARD_RANGE:
        fprintf(out, "returned %d\n", discard(m, s->a, s->v.absolute, s->w.absolute, expected));
        break;
    case TRACE_OP_REMAP:
        remap(m, s->a, s->v.absolute, s->w.absolute, expected);
        break;
    case TRACE_OP_RAM_NOTIFY:
        notifier_add(m, s->a, (unsigned)s->n);
        break;
    case TRACE_OP_RAM_UNNOTIFY:
        notifier_remove(m, s->a);
        break;
    case TRACE_OP_RAM_TELL:
        tell_everybody(m, s->n ? EVENT_BLOCK_REMOVED : EVENT_BLOCK_ADDED, NO_SLOT, s->v.absolute);
        break;
    default:
        abort();
    }
}

void block_apply(struct model *m, const struct trace_step *s, struct observation *expected)
{
    apply(m, s, expected, observation_text(expected));
    observation_text_end(expected);
}

static void refuse(struct model *m, const struct trace_step *s, FILE *out)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_RAM_FILE:
        file_refused(m, s, out);
        break;
    case TRACE_OP_RESIZE:
        fprintf(out, "refused\n");
        break;
    default:
        come_to_nothing(m);
        break;
    }
}

void model_refuse(struct model *m, const struct trace_step *s, struct observation *expected)
{
    expected->refused = true;
    if (block_is_repeated(s->op)) {
        if (s->op == TRACE_OP_LOAD_BITS) {
            model_apply(m, s, expected);
        }
        model_apply(m, s, expected);
    } else {
        m->out = &expected->events;
        refuse(m, s, observation_text(expected));
        m->out = NULL;
        observation_text_end(expected);
    }
}
