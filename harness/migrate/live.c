/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migrate/live.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "migrate/live_parts.h"
#include "qapi/error.h"
#include "run/subject.h"

enum { STEPS_MAX = 64, SAVES_MAX = 4 };

struct live_play live;

/* --- what the save calls --- */

static void stop_writers(void *opaque)
{
    (void)opaque;
    live_guest_writes(live.last_block % BLOCKS, live.last_page, 1, live.last_page / 64);
    for (unsigned b = 0; b < BLOCKS; b++) {
        memcpy(live_machine.at_stop[b], live_machine.block[b]->host, live_bytes_of(b));
    }
    live.stopped = true;
}

const uint8_t live_uuid[16] = "a virtual one..";
const char live_devices[16] = "\4 and so on";

static const void *save_devices(void *opaque, size_t *length)
{
    (void)opaque;
    REQUIRE(live.stopped, "devices are saved while the guest runs");
    live_check_logs();
    if (live.devices % 4 == 1) {
        ram_save_cancel(live.save);
        live.cancelled = live.without_devices = true;
    } else if (live.devices % 4 == 2) {
        live_resize(1 + live.devices / 4 % 8);
    }
    *length = sizeof(live_devices);
    return live_devices;
}

static void resume_writers(void *opaque)
{
    (void)opaque;
    REQUIRE(live.stopped, "writers resume that were not stopped");
    live.resumed = true;
}

static void interrupt(void *opaque)
{
    (void)opaque;
    if (live.save) {
        live_check_logs();
    }
    /* Until dirty logging runs all is dirty anyway, and from the stop on nobody writes. */
    if (!global_dirty_tracking || live.stopped || !live.save || live.interruption.in-- != 0) {
        return;
    }
    live.interruption.in = SIZE_MAX;
    if (live.interruption.cancels) {
        ram_save_cancel(live.save);
        live.cancelled = true;
    } else {
        live_guest_writes(live.interruption.block % BLOCKS, live.interruption.page, 1,
                          live.interruption.page / 64);
        live.in_the_middle = true;
    }
}

/* --- a save --- */

static void begin_call(void)
{
    subject_plant_failure(live.fail_in, live.error);
}

/* Whether a call failed since. */
static bool end_call(void)
{
    const size_t calls = subject_plant_failure(SIZE_MAX, 0);
    const bool failed = calls > live.fail_in;

    live.fail_in = live.fail_in == SIZE_MAX || failed ? SIZE_MAX : live.fail_in - calls;
    return failed;
}

static void forget(void)
{
    ram_save_free(live.save);
    live.save = NULL;
    live.cancelled = live.blocks_changed = live.stopped = live.resumed = live.in_the_middle = false;
    live.without_devices = false;
    live.devices = 0;
}

static void setup_model(void)
{
    struct save_model *model = &live.model;

    memset(model, 0, sizeof(*model));
    model->count = BLOCKS;
    model->page_size = TARGET_PAGE_SIZE;
    model->enough = live.parameters.enough;
    model->max_rounds = live.parameters.max_rounds;
    model->keep_zero_pages = live.parameters.keep_zero_pages;
    for (unsigned b = 0; b < BLOCKS; b++) {
        model->blocks[b].memory = live_machine.block[b]->host;
        model->blocks[b].length = live_bytes_of(b);
        model->blocks[b].pages = live_pages_of(b);
        REQUIRE(live_pages_of(b) <= SAVE_MODEL_PAGES_MAX, "the model has too little room");
    }
    save_model_start(model);
    for (unsigned page = 0; page < live_pages_of(PLUGGED); page++) {
        if (!(live.plugged >> page * TARGET_PAGE_SIZE / live_machine.unit & 1)) {
            save_model_drop(model, PLUGGED, page);
        }
    }
}

/* Whether there is a save to go on with. */
static bool have_save(void)
{
    Error *error = NULL;
    bool failed;
    int result;

    if (live.save) {
        return true;
    }
    if (live_machine.has_extra || live.saves++ == SAVES_MAX) {
        return false;
    }
    setup_model();
    if (live_file_is_marked()) {
        /* A save that cannot cut the file leaves it as it is: the file of the last one, sound. */
        REQUIRE(ftruncate(live_machine.fd, 0) == 0, "no file");
    }
    begin_call();
    live.save = ram_save_new(&live.parameters, &error_abort);
    result = ram_save_setup(live.save, &error);
    failed = end_call();
    live_check_result(result, 0, failed, error);
    if (result < 0) {
        live_check_left(false);
        forget();
        return false;
    }
    live_check_active();
    return true;
}

static void iterate(uint64_t pages)
{
    Error *error = NULL;
    bool failed, more;
    int result;

    begin_call();
    result = ram_save_iterate(live.save, pages, &error);
    failed = end_call();
    more = result >= 0 && save_model_iterate(&live.model, pages);
    live_check_result(result, more, failed, error);
    if (result < 0) {
        live_check_left(false);
        forget();
    } else {
        live_check_active();
    }
}

static void complete(void)
{
    Error *error = NULL;
    bool failed;
    int result;

    begin_call();
    result = ram_save_complete(live.save, &error);
    failed = end_call();
    live_check_result(result, 0, failed, error);
    if (result == 0) {
        save_model_complete(&live.model);
        live_check_counters();
        live_check_complete();
    }
    live_check_left(result == 0);
    forget();
}

/* --- steps --- */

static void second_save(void)
{
    RamSave *second = ram_save_new(&live.parameters, &error_abort);
    Error *error = NULL;

    REQUIRE(ram_save_setup(second, &error) == -EBUSY, "two saves at once");
    REQUIRE(error, "a failure without an Error");
    error_free(error);
    ram_save_free(second);
}

static void step(uint8_t what, uint8_t a, uint8_t b, uint8_t c)
{
    static const int errors[] = { EIO, ENOSPC, EINTR, EINVAL };

    what %= 16;
    if (what <= 2) {
        live_guest_writes(a % BLOCKS, b, 1 + c % 8, c / 8);
    } else if (what == 3) {
        live_guest_stores(a % BLOCKS, b, c);
    } else if (what == 7) {
        live.fail_in = a;
        live.error = errors[b % 4];
    } else if (what == 9) {
        live_resize(1 + a % 8);
    } else if (what == 10) {
        live_toggle_extra();
    } else if (what >= 14) {
        live.interruption.cancels = what == 15;
        live.interruption.block = a;
        live.interruption.page = b;
        live.interruption.in = c;
    } else if (!have_save()) {
        return;
    } else if (what <= 6) {
        iterate(a);
    } else if (what == 8) {
        ram_save_cancel(live.save);
        live.cancelled = true;
    } else if (what == 11) {
        second_save();
    } else if (what == 12) {
        live.last_block = a;
        live.last_page = b;
        live.devices = c;
        complete();
    } else {
        ram_save_free(live.save);
        live.save = NULL;
        live_check_left(false);
        forget();
    }
}

/* --- inputs --- */

void live_warm_up(void)
{
    live_build();
    subject_set_interruption(interrupt, NULL);
    live.fail_in = SIZE_MAX;
    live_toggle_extra();             /* live_restore() takes it away */
    live_restore();
}

void live_play(const uint8_t *data, size_t size)
{
    uint8_t head[4] = { 0 };

    fuzz_hash_begin();
    memset(&live, 0, sizeof(live));
    live.plugged = PLUGGED_ALL;
    live.fail_in = live.interruption.in = SIZE_MAX;
    memcpy(head, data, MIN(size, sizeof(head)));
    live.parameters = (RamSaveParameters){
        .fd = live_machine.fd,
        .base = head[3] * 0x1c,
        .machine = "none",
        .alignment = TARGET_PAGE_SIZE << head[2] / 16 % 4,
        .uuid = head[0] & 16 ? live_uuid : NULL,
        .family_page_bits = head[0] & 32 ? TARGET_PAGE_BITS - 1 : 0,
        .save_devices = head[0] & 64 ? save_devices : NULL,
        .keep_zero_pages = head[0] & 1,
        .enough = head[1] % 16,
        .punch_holes = head[0] & 4,
        .clear_bmap_shift = head[0] & 8 ? CLEAR_BITMAP_SHIFT_MIN : 0,
        .max_rounds = head[2] % 16,
        .stop_writers = stop_writers,
        .resume_writers = resume_writers,
    };
    live_plug(~head[1] / 16 & PLUGGED_ALL);
    REQUIRE(ftruncate(live_machine.fd, 0) == 0, "no file");
    if (head[0] & 2) {
        uint8_t old[0x3000];

        memset(old, 'x', sizeof(old));
        REQUIRE(pwrite(live_machine.fd, old, sizeof(old), 0) == sizeof(old), "no room for the file");
    }
    for (size_t at = 4, steps = 0; at + 4 <= size && steps < STEPS_MAX; at += 4, steps++) {
        step(data[at], data[at + 1], data[at + 2], data[at + 3]);
    }
    if (live.save) {
        complete();
    }
    live_restore();
}
