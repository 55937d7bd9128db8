/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of blocks, and pages: into memory before LISTEN, placed afterwards (R-WIRE-4, R-WIRE-5). */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "exec/ram_addr.h"
#include "migration/postcopy_receive.h"
#include "migration/postcopy_wire.h"
#include "migration/stream_reader.h"
#include "migration/zero_page.h"
#include "qemu/main-loop.h"
#include "ram/host_memory.h"

/* --- the list ------------------------------------------------------------------------------ */

static RAMBlock *find_block(const char *name, Error **errp)
{
    RAMBlock *block = qemu_ram_block_by_name(name);

    if (!block || !postcopy_takes_part(block)) {
        char *readable = printable(name);

        error_setg(errp, "block \"%s\" is not here", readable);
        g_free(readable);
        return NULL;
    }
    return block;
}

/* The length of the source, here too. */
static bool follow_length(RAMBlock *block, uint64_t length, Error **errp)
{
    bool done = true;

    if (length != block->used_length) {
        if (length % host_page_size()) {
            error_setg(errp, "0x%" PRIx64 " bytes are no whole pages", length);
            return false;
        }
        qemu_mutex_lock_iothread();
        done = qemu_ram_resize(block, length, errp) == 0;
        qemu_mutex_unlock_iothread();
    }
    return done;
}

static bool receive_block(Receiver *receiver, GHashTable *seen, uint64_t *length, Error **errp)
{
    uint64_t page_size;
    RAMBlock *block;
    char name[256];

    if (!receive_name(receiver, name, "name of a block", errp) ||
        !receive_be(receiver, 8, length, "length of a block", errp) || !(block = find_block(name, errp))) {
        return false;
    }
    if (!g_hash_table_add(seen, block)) {
        error_setg(errp, "block \"%s\" is listed twice", block->idstr);
        return false;
    }
    if (receiver->mis->postcopy && wire_lists_page_size(block->page_size, host_page_size())) {
        if (!receive_be(receiver, 8, &page_size, "page size of a block", errp)) {
            return false;
        }
        if (page_size != block->page_size) {
            error_setg(errp, "block \"%s\" has pages of 0x%" PRIx64 " bytes there, of 0x%zx here", block->idstr,
                       page_size, block->page_size);
            return false;
        }
    }
    if (!follow_length(block, *length, errp)) {
        error_prepend(errp, "block \"%s\" has 0x%" PRIx64 " bytes there, 0x%" PRIx64 " here: ", block->idstr, *length,
                      block->used_length);
        return false;
    }
    return true;
}

static bool check_all_listed(GHashTable *seen, Error **errp)
{
    RAMBlock *block;

    RCU_READ_LOCK_GUARD();
    RAMBLOCK_FOREACH(block) {
        if (postcopy_takes_part(block) && !g_hash_table_contains(seen, block)) {
            error_setg(errp, "block \"%s\" is here, but not in the list", block->idstr);
            return false;
        }
    }
    return true;
}

static bool receive_list(Receiver *receiver, uint64_t total, GHashTable *seen, Error **errp)
{
    uint64_t length;

    while (total > 0) {
        if (!receive_block(receiver, seen, &length, errp)) {
            return false;
        }
        if (length == 0 || length > total) {
            error_setg(errp, "a block has 0x%" PRIx64 " bytes of the 0x%" PRIx64 " that are left", length, total);
            return false;
        }
        total -= length;
    }
    return check_all_listed(seen, errp);
}

bool receive_ram_start(Receiver *receiver, Error **errp)
{
    GHashTable *seen;
    uint64_t word;
    bool done;

    if (!postcopy_event_allowed(POSTCOPY_EVENT_BLOCK_LIST, errp) ||
        !receive_be(receiver, 8, &word, "total length", errp)) {
        return false;
    }
    if ((word & (TARGET_PAGE_SIZE - 1)) != WIRE_FLAG_MEM_SIZE) {
        error_setg(errp, "the ram section starts with 0x%" PRIx64 ", not with the total length", word);
        return false;
    }
    seen = g_hash_table_new(NULL, NULL);
    done = receive_list(receiver, word & TARGET_PAGE_MASK, seen, errp);
    g_hash_table_unref(seen);
    if (!done || !receive_be(receiver, 8, &word, "end of section", errp)) {
        return false;
    }
    if (word != WIRE_FLAG_EOS) {
        error_setg(errp, "the list of blocks ends with 0x%" PRIx64 ", not 0x10", word);
        return false;
    }
    return true;
}

/* --- pages --------------------------------------------------------------------------------- */

/* What comes behind the word; `to` NULL for a zero page, of which a byte comes. */
static bool receive_content(Receiver *receiver, void *to, Error **errp)
{
    uint64_t byte;

    if (to) {
        return receive_bytes(receiver, to, TARGET_PAGE_SIZE, "page", errp);
    }
    if (!receive_be(receiver, 1, &byte, "zero page", errp)) {
        return false;
    }
    if (byte != 0) {
        error_setg(errp, "a zero page is full of 0x%02" PRIx64, byte);
    }
    return byte == 0;
}

/* Nobody reads it yet. */
static bool fill_page(Receiver *receiver, RAMBlock *block, uint64_t offset, bool zero, Error **errp)
{
    uint8_t *host = block->host + offset;

    if (block->readonly) {
        error_setg(errp, "block \"%s\" is mapped read-only", block->idstr);
        return false;
    }
    if (!receive_content(receiver, zero ? NULL : host, errp)) {
        return false;
    }
    if (zero && !zero_page_test(host, TARGET_PAGE_SIZE)) {
        memset(host, 0, TARGET_PAGE_SIZE);
    }
    if (block->receivedmap) {
        ramblock_recv_bitmap_set(block, host);
    }
    return true;
}

static bool begin_whole(Receiver *receiver, RAMBlock *block, uint64_t offset, Error **errp)
{
    if (receiver->whole_block) {
        if (receiver->whole_block != block || receiver->whole_offset != offset) {
            error_setg(errp, "block \"%s\": a page at 0x%" PRIx64 " comes while that at 0x%" PRIx64
                       " of block \"%s\" is incomplete", block->idstr, offset, receiver->whole_offset,
                       receiver->whole_block->idstr);
            return false;
        }
        return true;
    }
    receiver->whole_block = block;
    receiver->whole_offset = offset;
    receiver->whole_count = 0;
    receiver->whole_zero = true;
    memset(receiver->whole_parts, 0, (receiver->mis->postcopy->largest_page / TARGET_PAGE_SIZE + 7) / 8);
    return true;
}

/* Guest threads may wait for it: collect a page of the backing, then place it. */
static bool collect_page(Receiver *receiver, RAMBlock *block, uint64_t offset, bool zero, Error **errp)
{
    const uint64_t whole = offset / block->page_size * block->page_size, part = (offset - whole) / TARGET_PAGE_SIZE;
    uint8_t *page = postcopy_get_tmp_page(receiver->mis), *place = page + part * TARGET_PAGE_SIZE;

    if (!receiver->whole_parts) {
        receiver->whole_parts = g_new0(unsigned long,
                                       receiver->mis->postcopy->largest_page / TARGET_PAGE_SIZE / WORD_BITS + 1);
    }
    if (!begin_whole(receiver, block, whole, errp)) {
        return false;
    }
    if (bitmap_test(receiver->whole_parts, part)) {
        error_setg(errp, "block \"%s\": the target page at 0x%" PRIx64 " comes twice", block->idstr, offset);
        return false;
    }
    if (!receive_content(receiver, zero ? NULL : place, errp)) {
        return false;
    }
    if (zero) {
        memset(place, 0, TARGET_PAGE_SIZE);
    }
    bitmap_set_one(receiver->whole_parts, part);
    receiver->whole_zero = receiver->whole_zero && zero;
    if (++receiver->whole_count < block->page_size / TARGET_PAGE_SIZE) {
        return true;
    }
    receiver->whole_block = NULL;
    return postcopy_place(receiver->mis, block->host + whole, receiver->whole_zero ? NULL : page, errp) == 0;
}

static bool receive_page(Receiver *receiver, uint64_t word, Error **errp)
{
    const uint64_t flags = word & (TARGET_PAGE_SIZE - 1), offset = word & TARGET_PAGE_MASK;
    const uint64_t kind = flags & ~(uint64_t)WIRE_FLAG_CONTINUE;
    const bool listening = postcopy_state_get() >= POSTCOPY_INCOMING_LISTENING;
    RAMBlock *block = receiver->last_block;
    uint64_t length;
    char name[256];

    if (kind != WIRE_FLAG_ZERO && kind != WIRE_FLAG_PAGE) {
        error_setg(errp, "ram word 0x%" PRIx64 " is no page and no end of a section", word);
        return false;
    }
    if (!(flags & WIRE_FLAG_CONTINUE)) {
        if (!receive_name(receiver, name, "name of a block", errp) || !(block = find_block(name, errp))) {
            return false;
        }
        receiver->last_block = block;
    }
    if (!block) {
        error_setg(errp, "ram word 0x%" PRIx64 " goes on with the block of a page before, and there is none", word);
        return false;
    }
    length = listening ? block->postcopy_length : block->used_length;
    if (offset >= length || length - offset < TARGET_PAGE_SIZE) {
        error_setg(errp, "block \"%s\": a page at 0x%" PRIx64 ", but it has 0x%" PRIx64 " bytes", block->idstr, offset,
                   length);
        return false;
    }
    return listening ? collect_page(receiver, block, offset, kind == WIRE_FLAG_ZERO, errp)
                     : fill_page(receiver, block, offset, kind == WIRE_FLAG_ZERO, errp);
}

bool receive_ram_pages(Receiver *receiver, Error **errp)
{
    uint64_t word;

    for (;;) {
        if (!postcopy_serve_until_stream(receiver->mis, errp) || !receive_be(receiver, 8, &word, "ram word", errp)) {
            return false;
        }
        if (word == WIRE_FLAG_EOS) {
            return true;
        }
        if (!receive_page(receiver, word, errp)) {
            return false;
        }
    }
}
