/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a save must look like: between its steps, behind it, and in its file. */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>

#include "exec/ram_addr.h"
#include "migrate/live_parts.h"
#include "migration/mapped-ram.h"
#include "model/mapped_ram.h"
#include "qapi/error.h"

bool live_file_is_marked(void)
{
    struct stat status;

    REQUIRE(fstat(live_machine.fd, &status) == 0 && (uint64_t)status.st_size <= FILE_MAX, "the file is too large");
    return (uint64_t)status.st_size >= live.parameters.base + 8 &&
           memcmp(live_machine.file + live.parameters.base, "QEVM\0\0\0\3", 8) == 0;
}

void live_check_counters(void)
{
    const struct save_model *model = &live.model;
    RamSaveCounters counters;

    ram_save_counters(live.save, &counters);
    fuzz_hash_number(counters.normal << 32 | counters.zero);
    fuzz_hash_number(counters.remaining << 32 | counters.dirty_sync_count);
    REQUIRE(counters.total == model->total * TARGET_PAGE_SIZE, "the total is not the model's");
    REQUIRE(counters.transferred == counters.normal * TARGET_PAGE_SIZE,
            "transferred bytes are not those of written pages");
    REQUIRE(counters.remaining == model->remaining, "remaining is not the model's");
    REQUIRE(counters.dirty_sync_count == model->dirty_sync_count, "looks for dirty pages are not the model's");
    REQUIRE(counters.normal + counters.zero == model->normal + model->zero, "taken pages are not the model's");
    REQUIRE(live.in_the_middle || counters.normal == model->normal, "written pages are not the model's");
}

void live_check_logs(void)
{
    for (unsigned b = 0; b < BLOCKS; b++) {
        const RAMBlock *block = live_machine.block[b];

        for (unsigned word = 0; block->bmap && word * 64 < live.model.blocks[b].pages; word++) {
            REQUIRE(!(live.uncleared[b][word] & ~block->bmap[word]),
                    "a page was taken, and its log not cleared before (R-CLR-3)");
        }
    }
}

void live_check_active(void)
{
    REQUIRE(global_dirty_tracking, "no dirty logging during a save");
    REQUIRE(!live_file_is_marked(), "an unfinished file has its magic number");
    live_check_counters();
    live_check_logs();
    for (unsigned b = 0; b < BLOCKS; b++) {
        const RAMBlock *block = live_machine.block[b];
        const struct save_model_block *m = &live.model.blocks[b];

        for (unsigned page = 0; page < m->pages; page++) {
            REQUIRE((block->bmap[page / 64] >> page % 64 & 1) == m->dirty[page],
                    "a page's dirtiness is not the model's");
            REQUIRE(live.in_the_middle || (block->file_bmap[page / 64] >> page % 64 & 1) == m->present[page],
                    "a page's presence is not the model's");
        }
    }
}

void live_check_left(bool complete)
{
    REQUIRE(!global_dirty_tracking, "dirty logging goes on behind a save");
    REQUIRE(live.resumed == (live.stopped && !complete), "writers stay stopped, or run though all is saved");
    for (uint64_t at = live_bytes_of(CALLERS); at < live_machine.block[CALLERS]->used_length; at++) {
        REQUIRE(live_machine.block[CALLERS]->host[at] == BEHIND, "bytes behind the caller's memory are written to");
    }
    for (unsigned b = 0; b < BLOCKS; b++) {
        const RAMBlock *block = live_machine.block[b];

        REQUIRE(!block->bmap && !block->file_bmap && !block->clear_bmap && !block->pages_offset &&
                    !block->bitmap_offset,
                "a save leaves something behind");
    }
    REQUIRE(complete == live_file_is_marked(),
            complete ? "a complete file has no magic number" : "a failed save looks complete");
}

/* What was to be said besides the RAM. */
static void check_stream(const struct mapped_ram_bytes *bytes, const struct mapped_ram_seen *seen)
{
    const RamSaveParameters *parameters = &live.parameters;
    const size_t devices = parameters->save_devices ? sizeof(live_devices) : 0;

    REQUIRE(seen->has_uuid == (parameters->uuid != NULL) &&
                (!seen->has_uuid || memcmp(seen->uuid, live_uuid, sizeof(live_uuid)) == 0),
            "a complete file has another uuid");
    REQUIRE(seen->page_bits == (parameters->family_page_bits ? TARGET_PAGE_BITS : 0),
            "a complete file has other target-page-bits");
    REQUIRE(seen->end + devices < bytes->size && memcmp(bytes->bytes + seen->end, live_devices, devices) == 0 &&
                bytes->bytes[seen->end + devices] == 0,
            "a complete file has other devices");
}

void live_check_complete(void)
{
    const struct mapped_ram_leave leave = { .page_size = TARGET_PAGE_SIZE, .machine = "none" };
    static uint8_t *loaded;
    struct mapped_ram_seen seen;
    struct stat status;
    MappedRamFile *file;
    uint64_t absent = 0;

    fstat(live_machine.fd, &status);
    const struct mapped_ram_bytes bytes = {
        .bytes = live_machine.file, .length = (uint64_t)status.st_size, .size = (uint64_t)status.st_size,
    };
    loaded = loaded ? loaded : g_malloc(live_machine.block[0]->max_length);
    REQUIRE(mapped_ram_model_probe(&bytes, live.parameters.base, &leave, &seen), "a complete file is not sound");
    REQUIRE(seen.blocks->len == live.model.count, "a complete file has not all blocks");
    check_stream(&bytes, &seen);
    for (unsigned b = 0; b < BLOCKS; b++) {
        const struct mapped_ram_seen_block *block = mapped_ram_model_block(&seen, b);

        REQUIRE(strcmp(block->name, live_names[b]) == 0 &&
                    block->used_length == live_machine.block[b]->used_length,
                "a complete file has other blocks");
        REQUIRE(block->pages_offset % live.parameters.alignment == 0, "pages are not aligned in the file (R-SAVE-3)");
        mapped_ram_model_fill(&bytes, block, loaded);
        REQUIRE(memcmp(loaded, live_machine.at_stop[b], block->used_length) == 0,
                "a complete file has other memory than at the stop");
        for (unsigned page = 0; page < live.model.blocks[b].pages; page++) {
            REQUIRE(mapped_ram_model_present(&bytes, block, page) == live.model.blocks[b].present[page],
                    "a complete file's page is present though zero, or absent though not");
            absent += !live.model.blocks[b].present[page];
        }
    }
    REQUIRE(!live.parameters.punch_holes || TARGET_PAGE_SIZE < live_machine.unit ||
                (uint64_t)status.st_blocks * 512 + absent * TARGET_PAGE_SIZE <=
                    ((uint64_t)status.st_size + live_machine.unit - 1) / live_machine.unit * live_machine.unit,
            "pages that are absent take room in the file (R-SAVE-8)");
    mapped_ram_model_free(&seen);
    file = mapped_ram_probe(live_machine.fd, live.parameters.base, 0, "none", NULL);
    REQUIRE(file && file->complete, "memcore does not take its own file");
    mapped_ram_free(file);
}

void live_check_result(int result, int good, bool failed, Error *error)
{
    fuzz_hash_number((uint64_t)result);
    REQUIRE((result < 0) == (error != NULL), "a result without its Error, or the other way round");
    error_free(error);
    if (failed && live.error != EINTR) {
        REQUIRE(result == -live.error || (live.cancelled && result == -ECANCELED),
                "a failed call is not the result");
    } else if (live.without_devices) {
        REQUIRE(result == -ECANCELED, "a save is complete whose devices could not be had");
    } else if (live.blocks_changed) {
        REQUIRE(result == -EBUSY || (live.cancelled && result == -ECANCELED), "a save goes on with other blocks");
    } else if (live.cancelled) {
        /* A cancellation in the middle of a step may come too late for it. */
        REQUIRE(result == -ECANCELED || result == good, "a cancelled save has another result");
    } else {
        REQUIRE(result == good, "a step's answer is not the model's");
    }
}
