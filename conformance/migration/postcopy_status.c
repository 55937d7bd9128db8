/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 6.2: what `status` says while a migration goes on (R-PC-3). */
#include <errno.h>
#include <string.h>

#include "postcopy_peer.h"
#include "postcopy_reader.h"

static GString *seen;               /* a word each time that the status is another one than before */
static MigrationStatus last;

static void note(const MigrationStatus *status)
{
    const MigrationStatus now = __atomic_load_n(status, __ATOMIC_SEQ_CST);

    if (now != last) {
        g_string_append_printf(seen, "%s ", migration_status_name(now));
        last = now;
    }
}

static void start_notes(void)
{
    seen = g_string_new(NULL);
    last = MIGRATION_STATUS_NONE;
}

static void check_notes(void)
{
    check_text(seen->str, "setup active postcopy-active completed ");
    g_string_free(seen, TRUE);
}

static int (*tape_recv)(void *opaque, void *to, size_t length);
static void (*reader_run)(void *opaque, const void *devices, size_t length);

static int recv_noted(void *opaque, void *to, size_t length)
{
    note(&reader.mis.status);
    return tape_recv(opaque, to, length);
}

/* The guest, from its first moment. */
static void run_noted(void *opaque, const void *devices, size_t length)
{
    check_number(reader.mis.status, MIGRATION_STATUS_POSTCOPY_ACTIVE);
    reader_run(opaque, devices, length);
}

static void destination(void)
{
    reader_begin();
    start_notes();
    tape_recv = reader.mis.transport.recv;
    reader_run = reader.mis.run;
    reader.mis.transport.recv = recv_noted;
    reader.mis.run = run_noted;
    put_all();
    check_number(reader_receive(), 0);
    check_number(reader.guest.runs, 1);
    note(&reader.mis.status);
    check_notes();
    reader_end();
}

static void note_source(void)
{
    note(&source.status);
}

static void source_side(void)
{
    source_begin();
    start_notes();
    source.start_postcopy = false;
    peer.at_send = note_source;
    peer.at_stop = note_source;
    check_number(source_migrate(), 0);
    note_source();
    check_notes();
    source_end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-3/destination", destination);
    postcopy_case("/R-PC-3/source", source_side);
    return g_test_run();
}
