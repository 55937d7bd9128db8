/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "postcopy_peer.h"

#include <errno.h>
#include <string.h>

#include "exec/ram_addr.h"
#include "qemu/main-loop.h"

RAMBlock *source_ram;
MigrationState source;
struct source_peer peer;

int peer_say(uint16_t type, const char *name, uint64_t start, uint32_t length)
{
    GByteArray *message = g_byte_array_new();
    int result;

    put(message, type, 2);
    put(message, type < 3 ? 4 : name ? 13 + strlen(name) : 12, 2);
    if (type >= 3) {
        put(message, start, 8);
    }
    put(message, length, 4);
    if (name) {
        put_name(message, name);
    }
    result = ram_migrate_return(&source, message->data, message->len);
    g_byte_array_unref(message);
    return result;
}

/* Pages go out one by one, each in a call; the last call has the EOF. */
static int hear(void *opaque, const void *from, size_t length)
{
    const uint8_t *bytes = from;

    (void)opaque;
    check(!source.source || !qemu_mutex_iothread_locked());
    if (peer.at_send) {
        peer.at_send();
    }
    if (++peer.sends == peer.fail_at) {
        return -EPIPE;
    }
    g_byte_array_append(peer.stream, bytes, (guint)length);
    if (source.status == MIGRATION_STATUS_POSTCOPY_ACTIVE) {
        peer.packaged = true;
        if (peer.requests && READ_COUNTER(source.counters.sent) >= peer.request_after) {
            void (*requests)(void) = peer.requests;

            peer.requests = NULL;
            requests();
        }
        if (bytes[length - 1] == 0 && bytes[length - 6] == 0x7e) {
            if (peer.at_end) {
                peer.at_end();
            } else if (!peer.silent) {
                peer_say(1, NULL, 0, peer.shut);
            }
        }
    }
    return 0;
}

static void stop(void *opaque)
{
    (void)opaque;
    peer.stopped++;
    if (peer.at_stop) {
        peer.at_stop();
    }
    if (peer.dirty_at_stop) {
        source_ram->host[(peer.dirty_at_stop - 1) * TARGET_PAGE_SIZE] ^= 0xff;
        qemu_mutex_lock_iothread();
        memory_region_set_dirty(source_ram->mr, (peer.dirty_at_stop - 1) * TARGET_PAGE_SIZE, 1);
        qemu_mutex_unlock_iothread();
    }
}

void source_resume(void *opaque)
{
    (void)opaque;
    peer.resumed++;
}

void source_begin(void)
{
    memset(&peer, 0, sizeof(peer));
    peer.stream = g_byte_array_new();
    source_ram = stage_block(KIND_ANONYMOUS, "pc.ram", SOURCE_PAGES * TARGET_PAGE_SIZE);
    source = (MigrationState){
        .transport = { .send = hear },
        .stop_writers = stop,
        .resume_writers = source_resume,
        .start_postcopy = true,
    };
}

int source_migrate(void)
{
    int result;

    qemu_mutex_unlock_iothread();
    result = ram_migrate_source(&source);
    qemu_mutex_lock_iothread();
    check_pointer(source.source, NULL);
    check_pointer(source_ram->bmap, NULL);
    check_number(source.status, result == 0 ? MIGRATION_STATUS_COMPLETED : MIGRATION_STATUS_FAILED);
    check_number(source.error != NULL, result != 0);
    return result;
}

void source_end(void)
{
    error_free(source.error);
    source.error = NULL;
    g_byte_array_unref(peer.stream);
    stage_release(source_ram->mr);
    memcore_drain();
}

/* --- what was sent --- */

static void note_page(void *opaque, const char *name, uint64_t offset, const uint8_t *data)
{
    static const uint8_t zeroes[1 << 16];
    const uint32_t page = (uint32_t)(offset / TARGET_PAGE_SIZE);

    check_text(name, "pc.ram");
    check(memcmp(data ? data : zeroes, source_ram->host + offset, TARGET_PAGE_SIZE) == 0);
    g_array_append_val((GArray *)opaque, page);
}

GArray *source_pages_sent(char **records)
{
    GArray *pages = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    StreamReading reading = { .records = g_string_new(NULL), .page = note_page, .opaque = pages };

    check(read_stream(peer.stream, &reading));
    if (records) {
        *records = g_string_free(reading.records, FALSE);
    } else {
        g_string_free(reading.records, TRUE);
    }
    return pages;
}

char *text_of_runs(const GArray *pages)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0, start = 0; i < pages->len; i++) {
        const uint32_t page = g_array_index(pages, uint32_t, i);

        if (i + 1 == pages->len || g_array_index(pages, uint32_t, i + 1) != page + 1) {
            const uint32_t first = g_array_index(pages, uint32_t, start);

            g_string_append_printf(text, first == page ? "%s%u" : "%s%u-%u", start ? " " : "", first, page);
            start = i + 1;
        }
    }
    return g_string_free(text, FALSE);
}
