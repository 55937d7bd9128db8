/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapters 1 and 5: what streams say of their machine and behind the RAM. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/conformance.h"
#include "exec/ramblock.h"
#include "image.h"
#include "migration/migration.h"
#include "migration/postcopy-ram.h"
#include "migration/ram-save.h"
#include "postcopy_stream.h"
#include "qemu/main-loop.h"

static const uint8_t uuid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

/* What QEMU 10.0.2 writes first for `-machine virt`, whose CPU family has pages of 1 KiB too, with validate-uuid. */
static const char all_of_it[] =
    "QEVM\0\0\0\3" "\7\0\0\0\x09virt-10.0" "\5\x1e" "configuration/target-page-bits\0\0\0\1\0\0\0\x0c"
    "\5\x1a" "configuration/capabilities\0\0\0\1\0\0\0\1\x0amapped-ram"
    "\5\x12" "configuration/uuid\0\0\0\1" "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10" "\1\0\0\0\1\3ram";

static RamSaveParameters parameters_of(int fd)
{
    return (RamSaveParameters){ .fd = fd, .machine = "virt-10.0", .alignment = TARGET_PAGE_SIZE };
}

static int save(const RamSaveParameters *parameters, Error **errp)
{
    RamSave *ram_save = ram_save_new(parameters, &error_abort);
    const int result = ram_save_run(ram_save, errp);

    ram_save_free(ram_save);
    return result;
}

/* A file of its own; 16 host pages of RAM. */
static int begin(void)
{
    const int fd = memfd_create("configuration", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    stage_ram_migratable("ram", 1 << 20);
    return fd;
}

static void file_says_all(void)
{
    enum { PAGE_BITS_AT = 0x3d };
    const int fd = begin();
    RamSaveParameters parameters = parameters_of(fd);
    uint8_t bytes[sizeof(all_of_it) - 1], own[16];
    MappedRamFile *file;
    RamSave *ram_save;

    memcpy(own, uuid, sizeof(own));
    parameters.uuid = own;
    parameters.family_page_bits = TARGET_PAGE_BITS - 1;
    ram_save = ram_save_new(&parameters, &error_abort);
    memset(own, 0xff, sizeof(own));         /* it was copied */
    check_number(ram_save_run(ram_save, &error_abort), 0);
    ram_save_free(ram_save);
    check_number(pread(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
    check_number(bytes[PAGE_BITS_AT], TARGET_PAGE_BITS);
    bytes[PAGE_BITS_AT] = 12;
    check(memcmp(bytes, all_of_it, sizeof(bytes)) == 0);
    file = mapped_ram_probe(fd, 0, 0, "virt-10.0", &error_abort);
    check_number(file->page_bits, TARGET_PAGE_BITS);
    check(file->has_uuid && memcmp(file->uuid, uuid, sizeof(uuid)) == 0);
    mapped_ram_free(file);
    close(fd);
}

static void file_says_no_more(void)
{
    const unsigned without[] = { 0, TARGET_PAGE_BITS };
    const int fd = begin();

    for (size_t i = 0; i < G_N_ELEMENTS(without); i++) {
        RamSaveParameters parameters = parameters_of(fd);
        MappedRamFile *file;

        parameters.family_page_bits = without[i];
        check_number(save(&parameters, &error_abort), 0);
        file = mapped_ram_probe(fd, 0, 0, "virt-10.0", &error_abort);
        check_number(file->page_bits, 0);
        check(!file->has_uuid);
        mapped_ram_free(file);
    }
    close(fd);
}

static void wrong_page_bits(void)
{
    RamSaveParameters parameters = parameters_of(-1);
    MigrationState ms = { .family_page_bits = TARGET_PAGE_BITS + 1 };
    Error *error = NULL;
    int result;

    parameters.family_page_bits = TARGET_PAGE_BITS + 1;
    check_pointer(ram_save_new(&parameters, &error), NULL);
    check(error && strstr(error_get_pretty(error), "smallest page"));
    error_free(error);
    qemu_mutex_unlock_iothread();
    result = ram_migrate_source(&ms);
    qemu_mutex_lock_iothread();
    check_number(result, -1);
    check(strstr(error_get_pretty(ms.error), "smallest page") != NULL);
    error_free(ms.error);
}

/* --- devices -------------------------------------------------------------------------------- */

static const uint8_t a_device[] = "\4\0\0\0\2\5timer\0\0\0\0\0\0\0\2" "payload" "\x7e\0\0\0\2";

static struct {
    unsigned stopped, resumed, asked;
    RamSave *cancelled;         /* by save_devices */
    size_t length;              /* of what that gives */
} machine;

static void stop_writers(void *opaque)
{
    (void)opaque;
    machine.stopped++;
}

static void resume_writers(void *opaque)
{
    (void)opaque;
    machine.resumed++;
}

static const void *save_devices(void *opaque, size_t *length)
{
    (void)opaque;
    check_number(machine.stopped, 1);
    machine.asked++;
    if (machine.cancelled) {
        ram_save_cancel(machine.cancelled);
        return NULL;
    }
    *length = machine.length;
    return a_device;
}

static void devices_behind_the_ram(void)
{
    const int fd = begin();
    RamSaveParameters parameters = parameters_of(fd);
    uint8_t behind[sizeof(a_device) - 1 + 2];
    MappedRamFile *file;
    off_t end;

    memset(&machine, 0, sizeof(machine));
    machine.length = sizeof(a_device) - 1;
    parameters.stop_writers = stop_writers;
    parameters.save_devices = save_devices;
    check_number(save(&parameters, &error_abort), 0);
    check_number(machine.asked, 1);
    file = mapped_ram_probe(fd, 0, 0, NULL, &error_abort);
    check(file->complete);
    check_number(pread(fd, behind, sizeof(behind), (off_t)file->end), sizeof(behind));
    check(memcmp(behind, a_device, sizeof(a_device) - 1) == 0);
    check(behind[sizeof(behind) - 2] == 0 && behind[sizeof(behind) - 1] == 6);      /* EOF, description */
    end = (off_t)file->end;
    mapped_ram_free(file);
    /* However short they are. */
    memset(&machine, 0, sizeof(machine));
    machine.length = 1;
    check_number(save(&parameters, &error_abort), 0);
    check_number(pread(fd, behind, 3, end), 3);
    check(behind[0] == a_device[0] && behind[1] == 0 && behind[2] == 6);
    close(fd);
}

static void devices_that_cannot_be_saved(void)
{
    const int fd = begin();
    RamSaveParameters parameters = parameters_of(fd);
    Error *error = NULL;

    memset(&machine, 0, sizeof(machine));
    parameters.stop_writers = stop_writers;
    parameters.resume_writers = resume_writers;
    parameters.save_devices = save_devices;
    machine.cancelled = ram_save_new(&parameters, &error_abort);
    check_number(ram_save_run(machine.cancelled, &error), -ECANCELED);
    error_free(error);
    check_number(machine.resumed, 1);
    check_pointer(mapped_ram_probe(fd, 0, 0, NULL, NULL), NULL);
    ram_save_free(machine.cancelled);
    close(fd);
}

/* --- a connection --------------------------------------------------------------------------- */

static uint8_t sent[256];

static int keep_first(void *opaque, const void *from, size_t length)
{
    (void)opaque;
    memcpy(sent, from, MIN(length, sizeof(sent)));
    return -EPIPE;
}

static void source_says_all(void)
{
    static const char expected[] =
        "QEVM\0\0\0\3" "\7\0\0\0\x09virt-10.0" "\5\x1e" "configuration/target-page-bits\0\0\0\1\0\0\0\x0c"
        "\5\x12" "configuration/uuid\0\0\0\1" "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10" "\x8\0\1";
    MigrationState ms = {
        .transport = { .send = keep_first },
        .machine = "virt-10.0",
        .uuid = uuid,
        .family_page_bits = 10,
    };

    stage_ram_migratable("ram", 1 << 20);
    memset(sent, 0, sizeof(sent));
    qemu_mutex_unlock_iothread();
    check_number(ram_migrate_source(&ms), -1);
    qemu_mutex_lock_iothread();
    check(memcmp(sent, expected, sizeof(expected) - 1) == 0);
    error_free(ms.error);
}

/* A stream that starts with `subsections` and then breaks off; what the destination says of it. */
static void check_destination(const char *subsections, const uint8_t *own, const char *text)
{
    MigrationIncomingState mis = { .machine = "virt", .uuid = own };
    Tape tape;

    tape_start(&tape);
    mis.transport = tape_transport(&tape);
    put_begin(tape.in, "virt");
    put_hex(tape.in, subsections);
    qemu_mutex_unlock_iothread();
    check_number(ram_migrate_incoming(&mis), -1);
    qemu_mutex_lock_iothread();
    if (!strstr(error_get_pretty(mis.error), text)) {
        check_text(error_get_pretty(mis.error), text);
    }
    error_free(mis.error);
    tape_end(&tape);
}

#define NAME_UUID "05 12 636f6e66696775726174696f6e2f75756964"
#define NAME_PAGE_BITS "05 1e 636f6e66696775726174696f6e2f7461726765742d706167652d62697473"
#define UUID "01020304 05060708 090a0b0c 0d0e0f10"

static void destination_compares(void)
{
    static const uint8_t other[16];
    char *bits = g_strdup_printf(NAME_PAGE_BITS " 00000001 %08x", TARGET_PAGE_BITS);
    char *twice = g_strdup_printf("%s %s", bits, bits);
    char *both = g_strdup_printf("%s " NAME_UUID " 00000001 " UUID, bits);
    char *wrong = g_strdup_printf(NAME_PAGE_BITS " 00000001 %08x", TARGET_PAGE_BITS + 1);

    check_destination(both, NULL, "record: the connection");        /* it has come so far */
    check_destination(both, uuid, "record: the connection");
    check_destination("", uuid, "record: the connection");          /* no uuid is none that differs */
    check_destination(both, other, "another uuid");
    check_destination(wrong, NULL, "target-page-bits are");
    check_destination(twice, NULL, "there twice");
    check_destination(NAME_UUID " 00000002", NULL, "version 2");
    check_destination(NAME_UUID " 00000001 " UUID " " NAME_UUID " 00000001", NULL, "there twice");
    g_free(wrong);
    g_free(both);
    g_free(twice);
    g_free(bits);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-STRM-2/file-says-all", file_says_all);
    conformance_case("/R-STRM-2/file-says-no-more", file_says_no_more);
    conformance_case("/R-STRM-2/wrong-page-bits", wrong_page_bits);
    conformance_case("/R-SAVE-1/devices", devices_behind_the_ram);
    conformance_case("/R-SAVE-1/devices-cannot-be-saved", devices_that_cannot_be_saved);
    conformance_case_4k("/R-STRM-2/source-says-all", source_says_all);
    conformance_case("/R-STRM-2/destination-compares", destination_compares);
    return g_test_run();
}
