/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/player_block.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exec/ramblock.h"
#include "model/block.h"
#include "qapi/error.h"
#include "run/player_dirty.h"
#include "run/subject.h"

/* Callbacks without an opaque pointer: there is one player at a time that plays. */
static struct player *playing;

static int is_of_region(RAMBlock *block, void *mr)
{
    return block->mr == mr;
}

struct wanted {
    MemoryRegion *mr;
    RAMBlock *found;
};

static int note_if_wanted(RAMBlock *block, void *opaque)
{
    struct wanted *wanted = opaque;

    wanted->found = is_of_region(block, wanted->mr) ? block : NULL;
    return wanted->found != NULL;
}

RAMBlock *player_block(struct player *p, unsigned region)
{
    struct wanted wanted = { .mr = &p->regions[region].mr };

    qemu_ram_foreach_block(note_if_wanted, &wanted);
    return wanted.found;
}

int player_region_at(const struct player *p, void *host)
{
    ram_addr_t offset;
    RAMBlock *block = (uint8_t *)host == p->reserved ? NULL : qemu_ram_block_from_host(host, false, &offset);

    return block ? player_region_slot(p, block->mr) : OBSERVED_NONE;
}

/* --- who hears of blocks ---------------------------------------------------------- */

static void record(struct player_ram_notifier *n, enum event_kind kind, void *host, uint64_t used, uint64_t max)
{
    struct event e;

    event_init(&e, kind);
    e.number = (int)n->slot;
    e.region = player_region_at(n->player, host);
    e.address = used;
    e.length = max;
    player_record(n->player, &e);
}

static bool is_extended(unsigned kind)
{
    return kind == NOTIFIER_EXTENDED || kind == NOTIFIER_EXTENDED_ONCE;
}

static void forget_notifier(struct player_ram_notifier *n)
{
    if (is_extended(n->kind)) {
        ram_block_notifier_remove_extended(&n->extended);
    } else {
        ram_block_notifier_remove(&n->seed);
    }
}

static void heard_of_new(struct player_ram_notifier *n, void *host, uint64_t used, uint64_t max)
{
    record(n, EVENT_BLOCK_ADDED, host, used, max);
    if ((n->kind == NOTIFIER_SEED_ONCE || n->kind == NOTIFIER_EXTENDED_ONCE) && !n->player->reporting_blocks) {
        forget_notifier(n);
    }
}

static struct player_ram_notifier *seed_of(RAMBlockNotifier *n)
{
    return (struct player_ram_notifier *)((char *)n - offsetof(struct player_ram_notifier, seed));
}

static struct player_ram_notifier *extended_of(RAMBlockNotifierExtended *n)
{
    return (struct player_ram_notifier *)((char *)n - offsetof(struct player_ram_notifier, extended));
}

static void on_added(RAMBlockNotifier *n, void *host, size_t size)
{
    heard_of_new(seed_of(n), host, 0, size);
}

static void on_removed(RAMBlockNotifier *n, void *host, size_t size)
{
    record(seed_of(n), EVENT_BLOCK_REMOVED, host, 0, size);
}

static void on_added_extended(RAMBlockNotifierExtended *n, void *host, size_t used, size_t max)
{
    heard_of_new(extended_of(n), host, used, max);
}

static void on_removed_extended(RAMBlockNotifierExtended *n, void *host, size_t used, size_t max)
{
    record(extended_of(n), EVENT_BLOCK_REMOVED, host, used, max);
}

static void on_resized_extended(RAMBlockNotifierExtended *n, void *host, size_t old_length, size_t new_length)
{
    record(extended_of(n), EVENT_BLOCK_RESIZED, host, old_length, new_length);
}

static void add_notifier(struct player *p, const struct trace_step *s)
{
    struct player_ram_notifier *n = &p->ram_notifiers[s->a];

    *n = (struct player_ram_notifier){
        .seed = { .ram_block_added = on_added, .ram_block_removed = on_removed },
        .extended = { .ram_block_added = on_added_extended, .ram_block_removed = on_removed_extended,
                      .ram_block_resized = on_resized_extended },
        .player = p, .slot = s->a, .kind = (unsigned)s->n,
    };
    p->reporting_blocks = true;
    if (is_extended(n->kind)) {
        ram_block_notifier_add_extended(&n->extended);
    } else {
        ram_block_notifier_add(&n->seed);
    }
    p->reporting_blocks = false;
}

void player_on_resized(const char *idstr, uint64_t length, void *host)
{
    ram_addr_t offset;
    RAMBlock *block = qemu_ram_block_from_host(host, false, &offset);
    struct event e;

    event_init(&e, EVENT_BLOCK_CALLBACK);
    e.region = player_region_at(playing, host);
    e.length = length;
    e.number = block && !strcmp(idstr, qemu_ram_get_idstr(block));
    player_record(playing, &e);
}

/* --- questions ----------------------------------------------------------------------- */

static void print_block(const struct player *p, RAMBlock *block, FILE *out)
{
    const char *id = qemu_ram_get_idstr(block);

    fprintf(out, "r%d '%s' offset 0x%" PRIx64 " used 0x%" PRIx64 " max 0x%" PRIx64 " page 0x%zx%s%s%s%s%s\n",
            player_region_slot(p, block->mr), id, qemu_ram_get_offset(block), qemu_ram_get_used_length(block),
            qemu_ram_get_max_length(block), qemu_ram_pagesize(block), qemu_ram_is_shared(block) ? " shared" : "",
            qemu_ram_is_noreserve(block) ? " noreserve" : "", qemu_ram_is_migratable(block) ? " migratable" : "",
            qemu_ram_is_uf_zeroable(block) ? " uf_zeroable" : "", qemu_ram_get_fd(block) >= 0 ? " fd" : "");
    if (*id && qemu_ram_block_by_name(id) != block) {
        fprintf(out, "another block has that name\n");
    }
}

struct printing {
    const struct player *player;
    FILE *out;
};

static int print_one(RAMBlock *block, void *opaque)
{
    const struct printing *printing = opaque;

    print_block(printing->player, block, printing->out);
    return 0;
}

static int dump_one(RAMBlock *block, void *opaque)
{
    fprintf(opaque, "%24s %8s 0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64 "\n", qemu_ram_get_idstr(block),
            "4 KiB", qemu_ram_get_offset(block), qemu_ram_get_used_length(block),
            qemu_ram_get_max_length(block));
    return 0;
}

/* R-RAM-33 */
static void check_dump(FILE *out)
{
    char *const dump = subject_ram_dump(), *expected = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&expected, &size);

    if (!stream) {
        abort();
    }
    fprintf(stream, "%24s %8s %18s %18s %18s\n", "Block Name", "PSize", "Offset", "Used", "Total");
    qemu_ram_foreach_block(dump_one, stream);
    fclose(stream);
    if (strcmp(dump, expected) != 0) {
        fprintf(out, "the dump differs:\n%sfrom:\n%s", dump, expected);
    }
    free(expected);
    free(dump);
}

static void print_blocks(const struct player *p, FILE *out)
{
    struct printing printing = { p, out };

    qemu_ram_foreach_block(print_one, &printing);
    check_dump(out);
    fprintf(out, "version %" PRIu32 " largest page 0x%zx\n", ram_list.version - p->block_version,
            qemu_ram_pagesize_largest());
}

/* Every way from a host pointer to a block, and they have to agree. */
static void print_lookup(struct player *p, const struct trace_step *s, FILE *out)
{
    RAMBlock *mine = player_block(p, s->a);
    uint8_t *host = (uint8_t *)qemu_ram_get_host_addr(mine) + s->v.absolute;
    ram_addr_t offset = UINT64_MAX, offset_in_region = UINT64_MAX;
    RAMBlock *block = qemu_ram_block_from_host(host, s->n, &offset);
    MemoryRegion *mr = memory_region_from_host(host, &offset_in_region);
    const ram_addr_t address = qemu_ram_addr_from_host(host);

    if (!block && !mr && address == RAM_ADDR_INVALID && offset == UINT64_MAX && offset_in_region == UINT64_MAX) {
        fprintf(out, "nothing\n");
        return;
    }
    fprintf(out, "r%d offset 0x%" PRIx64 " region r%d offset 0x%" PRIx64 " ram_addr 0x%" PRIx64 "\n",
            block ? player_region_slot(p, block->mr) : OBSERVED_NONE, offset,
            mr ? player_region_slot(p, mr) : OBSERVED_NONE, offset_in_region, address);
    if (block && qemu_ram_block_host_offset(block, host) != s->v.absolute) {
        fprintf(out, "qemu_ram_block_host_offset differs\n");
    }
}

/* --- changes ---------------------------------------------------------------------------- */

static bool resize(struct player *p, const struct trace_step *s, FILE *out)
{
    Error *error = NULL;
    int result = 0;

    if (s->n == RESIZE_BLOCK) {
        result = qemu_ram_resize(player_block(p, s->a), s->v.absolute, &error);
    } else {
        memory_region_ram_resize(&p->regions[s->a].mr, s->v.absolute, &error);
    }
    fprintf(out, "%s%s\n", error ? "refused" : "resized",
            s->n == RESIZE_BLOCK && result != (error ? -EINVAL : 0) ? ", but returned something else" : "");
    if (error) {
        error_free(error);
        return false;
    }
    p->region_block_length[s->a] = qemu_ram_get_used_length(player_block(p, s->a));
    if (qemu_ram_get_max_length(player_block(p, s->a)) <= MODELLED_PAGES_MAX) {
        player_show_pages(p, s->a, p->region_block_length[s->a], out);
    }
    return true;
}

static void msync_some(struct player *p, const struct trace_step *s)
{
    switch (s->n) {
    case MSYNC_REGION:
        memory_region_msync(&p->regions[s->a].mr, s->v.absolute, s->w.absolute);
        break;
    case MSYNC_WRITEBACK:
        memory_region_writeback(&p->regions[s->a].mr, s->v.absolute, s->w.absolute);
        break;
    case MSYNC_BLOCK:
        qemu_ram_msync(player_block(p, s->a), s->v.absolute, s->w.absolute);
        break;
    default:
        qemu_ram_block_writeback(player_block(p, s->a));
        break;
    }
}

static bool discard(struct player *p, const struct trace_step *s, FILE *out)
{
    int result;

    player_reserved_use(p);     /* its bytes are going to be compared */
    result = ram_block_discard_range(player_block(p, s->a), s->v.absolute, s->w.absolute);
    fprintf(out, "returned %d\n", result);
    return result == 0;
}

static void set_flag(RAMBlock *block, int flag)
{
    switch (flag) {
    case BLOCK_MIGRATABLE:
        qemu_ram_set_migratable(block);
        break;
    case BLOCK_NOT_MIGRATABLE:
        qemu_ram_unset_migratable(block);
        break;
    default:
        qemu_ram_set_uf_zeroable(block);
        break;
    }
}

static void name_block(RAMBlock *block, enum id_name name)
{
    if (name == ID_NONE) {
        qemu_ram_unset_idstr(block);
    } else {
        qemu_ram_set_idstr(block, block_id_given(name), NULL);
    }
}

static void poke(struct player *p, const struct trace_step *s)
{
    uint8_t *host = (uint8_t *)qemu_ram_get_host_addr(player_block(p, s->a)) + s->v.absolute;

    for (uint64_t i = 0; i < s->w.absolute; i++) {
        host[i] = access_data_byte(s->n, i);
    }
}

bool player_block_step(struct player *p, const struct trace_step *s, FILE *out)
{
    playing = p;
    switch ((enum trace_op)s->op) {
    case TRACE_OP_RESIZE:
        return resize(p, s, out);
    case TRACE_OP_IDSTR:
        name_block(player_block(p, s->a), (enum id_name)s->n);
        return true;
    case TRACE_OP_BLOCK_FLAG:
        set_flag(player_block(p, s->a), s->n);
        return true;
    case TRACE_OP_BLOCK:
        print_block(p, player_block(p, s->a), out);
        if (qemu_ram_get_fd(player_block(p, s->a)) >= 0) {
            player_file_print(qemu_ram_get_fd(player_block(p, s->a)), out);
        }
        return true;
    case TRACE_OP_BLOCKS:
        print_blocks(p, out);
        return true;
    case TRACE_OP_LOOKUP:
        print_lookup(p, s, out);
        return true;
    case TRACE_OP_POKE:
        poke(p, s);
        return true;
    case TRACE_OP_MSYNC:
        msync_some(p, s);
        return true;
    case TRACE_OP_DISCARD_RANGE:
        return discard(p, s, out);
    case TRACE_OP_REMAP:
        qemu_ram_remap(qemu_ram_get_offset(player_block(p, s->a)) + s->v.absolute, s->w.absolute);
        return true;
    case TRACE_OP_RAM_NOTIFY:
        add_notifier(p, s);
        return true;
    case TRACE_OP_RAM_UNNOTIFY:
        forget_notifier(&p->ram_notifiers[s->a]);
        return true;
    case TRACE_OP_RAM_TELL:
        (s->n ? ram_block_notify_remove : ram_block_notify_add)(p->reserved, s->v.absolute);
        return true;
    default:
        abort();
    }
}

/* --- failures ------------------------------------------------------------------------------ */

bool player_may_fail(const struct player *p, const struct trace_step *step)
{
    return p->failure.times && block_may_fail(step->op);
}

bool player_step_failing(struct player *p, const struct trace_step *s, FILE *out,
                         bool (*step)(struct player *p, const struct trace_step *s, FILE *out))
{
    size_t calls;
    bool done;

    if (!player_may_fail(p, s)) {
        return step(p, s, out);
    }
    subject_plant_failure(p->failure.left, p->failure.error);
    done = step(p, s, out);
    calls = subject_plant_failure(SIZE_MAX, 0);
    if (calls <= p->failure.left) {
        p->failure.left -= calls;       /* it struck nothing yet */
    } else {
        p->failure.times--;
        p->failure.left = p->failure.nth;
        if (s->op == TRACE_OP_PLUG) {
            ram_block_discard_range(player_block(p, s->a), s->v.absolute, s->w.absolute);
        } else {
            p->seen->refused = !done;
        }
    }
    if (p->seen->refused && block_is_repeated(s->op)) {
        rewind(out);
        done = step(p, s, out);
        if (s->op == TRACE_OP_LOAD_BITS && subject_plant_failure(SIZE_MAX, 0) > calls + 1) {
            fputs("but the run that was refused was the last it tried\n", out);     /* R-BDM-5: all zero runs go */
        }
    }
    return done;
}
