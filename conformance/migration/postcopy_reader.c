/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "postcopy_reader.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "qemu/main-loop.h"

struct reader reader;

/* What a guest's first accesses do, without a guest that would wait. */
static void run(void *opaque, const void *devices, size_t length)
{
    (void)opaque;
    reader.guest.runs++;
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_RUNNING);
    check(!qemu_mutex_iothread_locked());
    memcpy(reader.guest.devices, length ? devices : "", length);
    g_assert_cmpint(mincore(reader.ram->host, READER_PAGES * reader.host_page, reader.guest.resident), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(reader.guest.faults) && reader.guest.faults[i]; i++) {
        postcopy_ram_fault(&reader.mis, reader.ram->host + (reader.guest.faults[i] - 1) * reader.host_page);
    }
}

void reader_begin_with(RamKind kind, size_t page)
{
    reader.host_page = page;
    reader.ram = stage_block(kind, "ram", READER_PAGES * page);
    memset(reader.ram->host, 0x11, READER_PAGES * reader.host_page);
    memset(&reader.guest, 0, sizeof(reader.guest));
    tape_start(&reader.tape);
    reader.mis = (MigrationIncomingState){ .transport = tape_transport(&reader.tape), .run = run };
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
}

void reader_begin(void)
{
    reader_begin_with(KIND_ANONYMOUS, (size_t)sysconf(_SC_PAGESIZE));
}

int reader_receive(void)
{
    int result;

    qemu_mutex_unlock_iothread();
    result = ram_migrate_incoming(&reader.mis);
    qemu_mutex_lock_iothread();
    return result;
}

void reader_end(void)
{
    reader.mis.abandon = true;
    check_number(postcopy_ram_incoming_cleanup(&reader.mis), 0);
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    error_free(reader.mis.error);
    reader.mis.error = NULL;
    tape_end(&reader.tape);
    stage_release(reader.ram->mr);
    memcore_drain();
}

void reader_refused(const char *text)
{
    check_number(reader_receive(), (uint64_t)-1);
    check_number(reader.mis.status, MIGRATION_STATUS_FAILED);
    if (!reader.mis.error || !strstr(error_get_pretty(reader.mis.error), text)) {
        check_text(reader.mis.error ? error_get_pretty(reader.mis.error) : "(no error)", text);
    }
    check(reader.tape.shut);
    /* as long as the guest does not run here there is nothing to keep */
    check(postcopy_state_get() == POSTCOPY_INCOMING_RUNNING || !reader.mis.postcopy);
}

void put_whole(const char *name, unsigned page, int fill)
{
    for (size_t offset = 0; offset < reader.host_page; offset += TARGET_PAGE_SIZE) {
        put_page(reader.tape.in, offset ? NULL : name, page * reader.host_page + offset, fill);
    }
}

void put_setup(void)
{
    put_begin(reader.tape.in, "none");
    put_command(reader.tape.in, 1, NULL, 0);
    put_command_u32(reader.tape.in, 2, 1);
    put_advise(reader.tape.in, reader.host_page, TARGET_PAGE_SIZE);
    put_start(reader.tape.in, "ram", READER_PAGES * reader.host_page);
}

void put_precopy(void)
{
    put_section(reader.tape.in, 2);
    for (unsigned page = 0; page < READER_PAGES - 1; page++) {
        put_whole(page ? NULL : "ram", page, page == 1 ? -1 : (int)(0x20 + page));
    }
    put_section_end(reader.tape.in);
}

void put_switch(void)
{
    put_discard(reader.tape.in, "ram", 2 * reader.host_page, 2 * reader.host_page);
    put_command_u32(reader.tape.in, 2, 2);
    put_package(reader.tape.in, "devices");
    put_command_u32(reader.tape.in, 2, 4);
}

void put_postcopy(void)
{
    put_section(reader.tape.in, 2);
    put_whole("ram", 3, 0x53);
    put_section_end(reader.tape.in);
    put_section(reader.tape.in, 2);
    put_whole(NULL, 2, -1);             /* CONTINUE, across sections */
    put_section_end(reader.tape.in);
    put_section(reader.tape.in, 3);
    put_section_end(reader.tape.in);
    put(reader.tape.in, 0, 1);
}

void put_all(void)
{
    put_setup();
    put_precopy();
    put_switch();
    put_postcopy();
}
