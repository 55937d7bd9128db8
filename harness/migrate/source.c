/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A source against the model: postcopy.h has the steps. */
#include <errno.h>
#include <string.h>

#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migrate/postcopy_parts.h"
#include "migrate/wire.h"
#include "migration/migration.h"
#include "qemu/main-loop.h"

enum { REQUESTS_MAX = 20, WRITES_MAX = 48 };

static struct {
    PostcopySteps *steps;
    MigrationState ms;
    struct postcopy_source_model model;
    bool written[BLOCKS][POSTCOPY_MODEL_PAGES_MAX];     /* since the last look for dirty pages */
    bool announced[BLOCKS][POSTCOPY_MODEL_PAGES_MAX];
    uint64_t syncs, discard_commands, discard_ranges, pages, asked;
    unsigned requests, writes;
    bool stopped, resumed, gone, ended;
    bool fails;                 /* the next message */
    bool doomed;                /* it cannot end well */
    bool shut;
    bool begun;                 /* the stream has its first bytes */
    bool section;
    int last_block;
    unsigned part;              /* of a page, that comes next */
} play;

static bool dirty_anywhere(void)
{
    for (int b = 0; b < BLOCKS; b++) {
        for (unsigned page = 0; page < guest.pages[b]; page++) {
            if (play.model.dirty[b][page]) {
                return true;
            }
        }
    }
    return false;
}

/* --- the guest -------------------------------------------------------------------------------------- */

static void guest_writes(int block, unsigned page, uint8_t value)
{
    const uint64_t offset = page * guest.page_size;

    if (guest.absent[block] >> page & 1 || play.stopped || play.writes++ == WRITES_MAX) {
        return;
    }
    memset(guest.block[block]->host + offset, value, guest.page_size);
    memory_region_set_dirty(guest.block[block]->mr, offset, guest.page_size);
    play.written[block][page] = true;
}

static void looked(void)
{
    for (int b = 0; b < BLOCKS; b++) {
        for (unsigned page = 0; page < guest.pages[b]; page++) {
            play.model.dirty[b][page] |= play.written[b][page];
            play.model.dirty[b][page] &= !(guest.absent[b] >> page & 1);
            play.written[b][page] = false;
        }
    }
}

static void stop_writers(void *opaque)
{
    (void)opaque;
    REQUIRE(!play.stopped, "writers are stopped twice");
    if (play.steps->parameters[0] & 8) {
        guest_writes(0, play.steps->parameters[1] % guest.pages[0], 0x77);
    }
    play.stopped = true;
    looked();           /* the last look follows, and nothing is written between (R-PC-40) */
}

static void resume_writers(void *opaque)
{
    (void)opaque;
    REQUIRE(play.stopped && !play.gone, "the guest goes on here although it may run there");
    play.resumed = true;
}

/* --- steps -------------------------------------------------------------------------------------------- */

static int say(const GByteArray *message)
{
    return ram_migrate_return(&play.ms, message->data, message->len);
}

static void ask(bool named, int block, uint64_t start, uint32_t length)
{
    GByteArray *message = g_byte_array_new();
    const char *name = block < 0 ? "rom" : postcopy_names[block];
    bool right;

    wire_put(message, named ? 3 : 4, 2);
    wire_put(message, named ? 13 + strlen(name) : 12, 2);
    wire_put(message, start, 8);
    wire_put(message, length, 4);
    if (named) {
        wire_put_name(message, name);
    }
    play.asked++;
    right = postcopy_source_model_request(&play.model, named, block, start, length, guest.page_size);
    REQUIRE((say(message) == 0) == right,
            right ? "a right request is refused" : "a wrong request is accepted (R-PC-44)");
    play.doomed = play.doomed || !right;
    g_byte_array_unref(message);
}

static void say_shut(uint8_t value)
{
    GByteArray *message = g_byte_array_new();

    wire_put(message, 1, 2);
    wire_put(message, 4, 2);
    wire_put(message, value, 4);
    const bool good = value == 0 && play.ended;

    REQUIRE((say(message) == 0) == good, good ? "a good end is refused" : "SHUT is taken for a good end");
    play.shut = true;
    play.doomed = play.doomed || !good;
    g_byte_array_unref(message);
}

static void say_bytes(const uint8_t *bytes)
{
    REQUIRE(ram_migrate_return(&play.ms, bytes, 3) == -EINVAL, "three bytes are taken for a message");
    play.doomed = true;
}

/* R-ITER-11 */
static void grow(unsigned pages)
{
    if (!play.stopped) {
        postcopy_resize(guest.pages[0] + pages);
        play.doomed = true;
    }
}

static void do_step(const uint8_t *step)
{
    const uint8_t what = step[0] % 16, a = step[1], b = step[2], c = step[3];
    const int block = (a & 14) == 14 ? -1 : a & 1;

    if (what <= 3) {
        guest_writes(a & 1, b % guest.pages[a & 1], c);
    } else if (what <= 7 && play.requests++ < REQUESTS_MAX) {
        ask(!(a & 64), block, b % 32 * guest.page_size, (uint32_t)((1 + c % 4) * guest.page_size));
    } else if (what <= 9 && play.requests++ < REQUESTS_MAX) {
        ask(!(a & 64), block, a & 32 ? -((uint64_t)b << 8) : (uint64_t)b << 8, (uint32_t)(c | (a & 16) << 4) << 8);
    } else if (what == 10 && a & 128) {
        grow(1 + c % 8);
    } else if (what == 10) {
        play.ms.start_postcopy = true;
    } else if (what == 11) {
        play.fails = true;
    } else if (what == 12) {
        say_shut(a);
    } else if (what == 13) {
        say_bytes(step + 1);
    }
}

/* --- what is sent ----------------------------------------------------------------------------------------- */

static int take_name(const uint8_t **at)
{
    const size_t length = wire_get(at, 1);

    for (int b = 0; b < BLOCKS; b++) {
        if (strlen(postcopy_names[b]) == length && memcmp(*at, postcopy_names[b], length) == 0) {
            *at += length;
            return b;
        }
    }
    REQUIRE(false, "a block is named that is not there");
}

/* The first part of a page: is it the one whose turn it is? */
static void check_turn(int block, unsigned page)
{
    unsigned next_page = 0;
    int next = 0;

    play.pages++;
    fuzz_hash_number((uint64_t)block << 32 | page);
    if (play.gone) {
        REQUIRE(postcopy_source_model_next(&play.model, &next, &next_page), "a page is sent twice (R-PC-42)");
        REQUIRE(next == block && next_page == page, "it is another page's turn (R-PC-42)");
    } else {
        REQUIRE(play.model.dirty[block][page], "a clean page is sent");
        play.model.dirty[block][page] = false;
    }
}

static const uint8_t *take_page(const uint8_t *at, uint64_t word)
{
    const uint64_t flags = word & (TARGET_PAGE_SIZE - 1), offset = word & TARGET_PAGE_MASK;
    const bool zero = flags & 2;
    const uint8_t *memory;

    REQUIRE((flags & ~(uint64_t)0x20) == 2 || (flags & ~(uint64_t)0x20) == 8, "a page has other flags (R-WIRE-4)");
    if (!(flags & 0x20)) {
        play.last_block = take_name(&at);
    }
    REQUIRE(play.last_block >= 0, "a page names no block (R-WIRE-4)");
    REQUIRE(offset < guest.pages[play.last_block] * guest.page_size, "a page behind the block");
    memory = guest.block[play.last_block]->host + offset;
    if (play.part == 0) {
        check_turn(play.last_block, (unsigned)(offset / guest.page_size));
    }
    REQUIRE(offset % guest.page_size / TARGET_PAGE_SIZE == play.part, "a page is sent in part (R-PC-43)");
    play.part = (play.part + 1) % (unsigned)(guest.page_size / TARGET_PAGE_SIZE);
    REQUIRE(zero ? *at == 0 && *memory == 0 : memcmp(at, memory, TARGET_PAGE_SIZE) == 0,
            "a page is sent with other bytes");
    return at + (zero ? 1 : TARGET_PAGE_SIZE);
}

static void take_discard(const uint8_t *at, size_t length)
{
    const uint8_t *end = at + length;
    int block;

    REQUIRE(play.stopped && !play.gone && wire_get(&at, 1) == 0, "a discard at another time (R-PC-40)");
    play.discard_commands++;
    block = take_name(&at);
    REQUIRE(wire_get(&at, 1) == 0 && (end - at) % 16 == 0 && end > at && end - at <= 12 * 16,
            "a discard of another form (R-WIRE-3)");
    while (at < end) {
        const uint64_t start = wire_get(&at, 8) / guest.page_size, count = wire_get(&at, 8) / guest.page_size;

        play.discard_ranges++;
        REQUIRE(count > 0 && start + count <= guest.pages[block], "a discard behind the block");
        REQUIRE(start == 0 || !play.announced[block][start - 1], "a discard that goes on with another (R-PC-40)");
        for (uint64_t page = start; page < start + count; page++) {
            play.announced[block][page] = true;
        }
    }
}

/* The guest has gone: what was announced is what is dirty (R-PC-40, R-PC-2). */
static void take_package(void)
{
    play.gone = true;
    play.last_block = -1;
    play.model.block = 0;
    play.model.page = 0;
    if (!dirty_anywhere()) {
        play.model.dirty[0][0] = true;
    }
    REQUIRE(memcmp(play.announced, play.model.dirty, sizeof(play.announced)) == 0,
            "other pages are announced than are dirty (R-PC-40)");
}

static const uint8_t *take_command(const uint8_t *at)
{
    const uint64_t command = wire_get(&at, 2), length = wire_get(&at, 2);

    if (command == 6) {
        take_discard(at, length);
    } else if (command == 7) {
        take_package();
    }
    return at + length;
}

static const uint8_t *take_record(const uint8_t *at)
{
    const uint8_t type = (uint8_t)wire_get(&at, 1);

    switch (type) {
    case 0:
        play.ended = true;
        return at;
    case 1:
        at += 4 + 4 + 4 + 4;
        REQUIRE(wire_get(&at, 8) == ((guest.pages[0] + guest.pages[1]) * guest.page_size | 4), "another total length");
        for (int b = 0; b < BLOCKS; b++) {
            REQUIRE(take_name(&at) == b && wire_get(&at, 8) == guest.pages[b] * guest.page_size,
                    "another list of blocks");
        }
        REQUIRE(wire_get(&at, 8) == 0x10 && wire_get(&at, 1) == 0x7e, "the list does not end (R-WIRE-4)");
        return at + 4;
    case 2:
    case 3:
        REQUIRE(type == 2 || (play.gone && !dirty_anywhere()), "END although pages are left (R-PC-43)");
        if (type == 3) {
            REQUIRE(wire_get(&at, 4) && wire_get(&at, 8) == 0x10, "END has pages");
            return at + 5;
        }
        play.section = true;
        return at + 4;
    case 8:
        return take_command(at);
    default:
        REQUIRE(false, "a record of an unknown type");
    }
}

/* Before it ends a section the source has looked at all that is asked for. */
static void end_of_part(void)
{
    unsigned page;
    int block;

    if (play.gone && !dirty_anywhere()) {
        REQUIRE(!postcopy_source_model_next(&play.model, &block, &page), "the model is wrong");
    }
}

static int hear(void *opaque, const void *from, size_t length)
{
    const uint8_t *at = from, *end = at + length, *step;

    (void)opaque;
    if (play.syncs != play.ms.counters.syncs) {
        play.syncs = play.ms.counters.syncs;
        looked();
    }
    if (!play.begun) {
        REQUIRE(memcmp(at, "QEVM\0\0\0\3\7\0\0\0\4none", 17) == 0, "another beginning");
        at += 17;
        play.begun = true;
    }
    while (at < end) {
        if (play.section) {
            const uint64_t word = wire_get(&at, 8);

            if (word == 0x10) {
                REQUIRE(play.part == 0, "a section ends within a page (R-PC-43)");
                at += 5;
                play.section = false;
                end_of_part();
            } else {
                at = take_page(at, word);
            }
        } else {
            at = take_record(at);
        }
    }
    REQUIRE(at == end, "a message is cut");
    if (play.fails) {
        play.doomed = true;
        return -EPIPE;
    }
    while ((step = postcopy_next_step(play.steps)) && step[0] % 16 < 14) {
        do_step(step);
    }
    if (play.ended && !play.shut) {
        say_shut(0);
    }
    return 0;
}

/* --- an input ------------------------------------------------------------------------------------------------ */

static void begin(PostcopySteps *steps)
{
    memset(&play, 0, sizeof(play));
    play.steps = steps;
    play.last_block = -1;
    play.ms.transport.send = hear;
    play.ms.stop_writers = stop_writers;
    play.ms.resume_writers = resume_writers;
    play.ms.start_postcopy = steps->parameters[0] & 4;
    for (int b = 0; b < BLOCKS; b++) {
        play.model.pages[b] = guest.pages[b];
    }
    postcopy_source_model_start(&play.model);
    for (int b = 0; b < BLOCKS; b++) {
        for (unsigned page = 0; page < guest.pages[b]; page++) {
            const uint8_t value =
                page % 3 == steps->parameters[1] % 3 ? 0 : (uint8_t)(page + steps->parameters[1]);

            memset(guest.block[b]->host + page * guest.page_size, value, guest.page_size);
            play.model.dirty[b][page] = true;
        }
        cpu_physical_memory_clear_dirty_range(guest.block[b]->offset, guest.block[b]->used_length);
    }
    postcopy_plug(steps->parameters[3] / 16);
}

void postcopy_play_source(PostcopySteps *steps)
{
    const uint64_t parts = guest.page_size / TARGET_PAGE_SIZE;
    int result;

    begin(steps);
    qemu_mutex_unlock_iothread();
    result = ram_migrate_source(&play.ms);
    qemu_mutex_lock_iothread();
    fuzz_hash_number((uint64_t)result << 32 | play.pages);
    REQUIRE((result == 0) == !play.doomed,
            result == 0 ? "a broken migration ends well" : "a good migration fails");
    REQUIRE((play.ms.error != NULL) == (result != 0), "a failure without an Error, or the other way round");
    REQUIRE(play.resumed == (play.stopped && !play.gone && result != 0), "the guest stays stopped");
    REQUIRE(!global_dirty_tracking && !play.ms.source, "something goes on behind a migration");
    REQUIRE(play.ms.status == (result == 0 ? MIGRATION_STATUS_COMPLETED : MIGRATION_STATUS_FAILED),
            "a migration has another status than end");
    REQUIRE(play.ms.counters.requests == play.asked, "requests are not what was asked for");
    REQUIRE(play.ms.counters.sent == play.pages * parts, "pages sent are not the model's");
    if (result == 0) {
        REQUIRE(play.ended && !dirty_anywhere(), "the end although pages are left (R-PC-43)");
        REQUIRE(play.ms.counters.discard_commands == play.discard_commands &&
                    play.ms.counters.discard_ranges == play.discard_ranges,
                "ranges are not the model's");
        REQUIRE(play.ms.counters.ignored == play.model.ignored * parts,
                "ignored pages are not the model's (R-PC-42)");
    }
    for (int b = 0; b < BLOCKS; b++) {
        REQUIRE(!guest.block[b]->bmap, "a block keeps its bitmap");
    }
    error_free(play.ms.error);
}
