/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "board.h"

#include <string.h>

static const char *first_trouble;
unsigned boards_alive;
bool main_holds_the_lock;

void storm_trouble(const char *text)
{
    const char *none = NULL;

    __atomic_compare_exchange_n(&first_trouble, &none, text, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

const char *storm_first_trouble(void)
{
    return LOAD(first_trouble);
}

static void expect(bool condition, const char *otherwise)
{
    if (!condition) {
        storm_trouble(otherwise);
    }
}

/* ---- the device ---- */

#define TYPE_BOARD "threads-board"

static void board_finalize(Object *object)
{
    Board *board = (Board *)object;

    expect(qemu_mutex_iothread_locked(), "a finalizer ran without the big lock");
    expect(threads_on_main() || !LOAD(main_holds_the_lock),
           "a finalizer ran in another thread while the main thread held the big lock");
    expect(LOAD(board->held) == 0, "an owner ended while a thread held a view of its regions");
    expect(!board->plugged, "an owner ended while its region was mapped");
    for (unsigned i = 0; i < BOARD_LEAVES; i++) {
        STORE(board->leaves[i].state, LEAF_DEAD);
    }
    ADD(boards_alive, -1);
}

static const TypeInfo board_info = {
    .name = TYPE_BOARD,
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(Board),
    .instance_finalize = board_finalize,
};

static void register_board_type(void)
{
    type_register_static(&board_info);
}
type_init(register_board_type)

void leaf_init(Leaf *leaf, const char *name, uint64_t size)
{
    *leaf = (Leaf) { .state = LEAF_ALIVE, .name = name, .size = size };
    memory_region_init_io(&leaf->mr, NULL, &stage_ops, leaf, name, size);
}

static void init_board_leaves(Board *board, uint8_t tag)
{
    static const struct {
        const char *name;
        hwaddr at;
        uint64_t size;
    } layout[BOARD_LEAVES] = { { "io0", 0, 0x1000 }, { "io1", 0x800, 0x1000 }, { "ram", 0x2000, 0x2000 } };

    for (unsigned i = 0; i < BOARD_LEAVES; i++) {
        Leaf *leaf = &board->leaves[i];

        leaf->state = LEAF_ALIVE;
        leaf->name = layout[i].name;
        leaf->size = layout[i].size;
        leaf->tag = tag;
        leaf->board = board;
        if (i == BOARD_RAM) {
            memory_region_init_ram_nomigrate(&leaf->mr, OBJECT(board), leaf->name, leaf->size, &error_fatal);
            leaf->ram = memset(memory_region_get_ram_ptr(&leaf->mr), tag, leaf->size);
        } else {
            memory_region_init_io(&leaf->mr, OBJECT(board), &stage_ops, leaf, leaf->name, leaf->size);
        }
        memory_region_add_subregion(&board->bar, layout[i].at, &leaf->mr);
    }
}

Board *board_new(MemoryRegion *system, uint8_t tag)
{
    Object *object = object_new(TYPE_BOARD);
    Board *board = (Board *)object;

    ADD(boards_alive, 1);
    memory_region_init(&board->bar, object, "bar", BOARD_SIZE);
    init_board_leaves(board, tag);
    board->shows_system = system != NULL;
    memory_region_init(&board->window, object, "window", UINT64_MAX);
    memory_region_init_alias(&board->window_alias, object, "window-alias", system ? system : &board->bar, 0,
                             system ? UINT64_MAX : BOARD_SIZE);
    memory_region_add_subregion(&board->window, 0, &board->window_alias);
    address_space_init(&board->as, &board->window, "window");
    return board;
}

/* ---- looking ---- */

static bool look_at_range(Int128 start, Int128 size, const MemoryRegion *mr, hwaddr offset, void *opaque)
{
    Seen *seen = opaque;
    Leaf *leaf = (Leaf *)caa_container_of(mr, Leaf, mr);
    const SeenRange *previous = seen->count > 0 ? &seen->ranges[seen->count - 1] : NULL;
    const Int128 floor = previous ? int128_add(previous->start, previous->size) : int128_zero();
    const char *name = memory_region_name(mr);

    if (LOAD(leaf->state) != LEAF_ALIVE) {
        storm_trouble("a view shows a region whose owner has ended");
        return true;
    }
    expect(name && g_str_equal(name, leaf->name), "a view shows a region without its name");
    expect(int128_ge(start, floor), "ranges overlap or do not ascend");
    expect(int128_gt(size, int128_zero()), "a range is empty");
    expect(int128_le(int128_add(int128_make64(offset), size), int128_make64(leaf->size)),
           "a range sticks out of its region");
    expect(!previous || previous->leaf != leaf || !int128_eq(start, floor) ||
           !int128_eq(int128_add(int128_make64(previous->offset), previous->size), int128_make64(offset)),
           "neighbours should be one range");
    if (leaf->ram) {
        expect(memory_region_get_ram_ptr(&leaf->mr) == leaf->ram, "RAM has moved");
        expect(leaf->ram[offset] == leaf->tag && leaf->ram[offset + int128_getlo(size) - 1] == leaf->tag,
               "RAM is not what it was");
    }
    if (seen->count == SEEN_MAX) {
        storm_trouble("more ranges than the storm can make");
        return true;
    }
    seen->ranges[seen->count++] = (SeenRange) { start, size, offset, leaf };
    return false;
}

void look(FlatView *view, Seen *seen)
{
    seen->count = 0;
    flatview_for_each_range(view, look_at_range, seen);
}

bool seen_equal(const Seen *left, const Seen *right)
{
    if (left->count != right->count) {
        return false;
    }
    for (size_t i = 0; i < left->count; i++) {
        const SeenRange *l = &left->ranges[i], *r = &right->ranges[i];

        if (!int128_eq(l->start, r->start) || !int128_eq(l->size, r->size) || l->offset != r->offset ||
            l->leaf != r->leaf) {
            return false;
        }
    }
    return true;
}

size_t seen_of(const Seen *seen, const Leaf *leaf)
{
    size_t count = 0;

    for (size_t i = 0; i < seen->count; i++) {
        count += seen->ranges[i].leaf == leaf;
    }
    return count;
}

static void count_held(const Seen *seen, unsigned difference)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (seen->ranges[i].leaf->board) {
            ADD(seen->ranges[i].leaf->board->held, difference);
        }
    }
}

void seen_hold(const Seen *seen)
{
    count_held(seen, 1);
}

void seen_let_go(const Seen *seen)
{
    count_held(seen, -1u);
}
