/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files exchanged with a real QEMU >= 9 (R-SAVE-11, R-MRAM-8); without one the cases are skipped and say so. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/conformance.h"
#include "exec/ramblock.h"
#include "migration/mapped-ram.h"
#include "migration/ram-save.h"
#include "qemu/bswap.h"
#include "qemu_process.h"

static char *folder, *ours, *theirs;
static RAMBlock *block;
static uint8_t *before;         /* the block's memory when it was saved */

static void begin(void)
{
    MemoryRegion *ram = stage_ram_migratable("ram", QEMU_RAM);

    block = qemu_ram_block_by_name(memory_region_name(ram));
    qemu_fill(block->host);
    before = g_memdup2(block->host, QEMU_RAM);
    folder = g_dir_make_tmp("memcore-qemu-XXXXXX", NULL);
    ours = g_build_filename(folder, "ours.mig", NULL);
    theirs = g_build_filename(folder, "theirs.mig", NULL);
}

static void end(void)
{
    unlink(ours);
    unlink(theirs);
    rmdir(folder);
    g_free(ours);
    g_free(theirs);
    g_free(folder);
    g_free(before);
}

/* --- QEMU's side ----------------------------------------------------------------------------- */

/* "migrate" or "migrate-incoming". */
static void start_move(Qemu *qemu, const char *what, const char *path, uint64_t base)
{
    qemu_tell(qemu, "{\"execute\": \"%s\", \"arguments\": {\"uri\": \"file:%s,offset=%llu\"}}", what, path,
              (unsigned long long)base);
}

/* To its end. */
static void move(Qemu *qemu, const char *what, const char *path, uint64_t base)
{
    start_move(qemu, what, path, base);
    qemu_wait_completed(qemu, what);
}

/* --- memcore's ------------------------------------------------------------------------------- */

static void save(const RamSaveParameters *parameters)
{
    RamSave *ram_save = ram_save_new(parameters, &error_abort);

    check_number(ram_save_run(ram_save, &error_abort), 0);
    ram_save_free(ram_save);
}

static MappedRamFile *probe(const char *path, uint64_t base, int *fd)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    return mapped_ram_probe(*fd, base, 0, NULL, &error_abort);
}

static void load_and_compare(const char *path, uint64_t base)
{
    int fd;
    MappedRamFile *file = probe(path, base, &fd);

    check_text(file->machine, "none");
    memset(block->host, 0x55, QEMU_RAM);
    memcore_set_vm_running(false);
    check_number(mapped_ram_load(file, 0, &error_abort), 0);
    memcore_set_vm_running(true);
    check(memcmp(block->host, before, QEMU_RAM) == 0);
    mapped_ram_free(file);
    close(fd);
}

/* --- cases ----------------------------------------------------------------------------------- */

typedef enum { PLAIN, MULTIFD, DIRECT_IO } How;

/* memcore saves, QEMU loads that and saves, memcore loads: memory is what it was. */
static void there_and_back(How how, uint64_t base)
{
    RamSaveParameters parameters;
    Qemu qemu;
    int fd;

    begin();
    fd = open(ours, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    parameters = (RamSaveParameters){ .fd = fd, .base = base, .machine = "none" };
    save(&parameters);
    close(fd);
    qemu_start(&qemu);
    qemu_set_capability(&qemu, "mapped-ram", true);
    if (how != PLAIN) {
        qemu_set_capability(&qemu, "multifd", true);
    }
    if (how == DIRECT_IO) {
        qemu_tell(&qemu, "{\"execute\": \"migrate-set-parameters\", \"arguments\": {\"direct-io\": true}}");
    }
    move(&qemu, "migrate-incoming", ours, base);
    move(&qemu, "migrate", theirs, base);
    qemu_end(&qemu);
    load_and_compare(theirs, base);
    end();
}

static void plain(void)
{
    if (!skip_without_qemu()) {
        there_and_back(PLAIN, 0);
    }
}

static void multifd(void)
{
    if (!skip_without_qemu()) {
        there_and_back(MULTIFD, 0);
    }
}

static void direct_io(void)
{
    char *path;
    int fd;

    if (skip_without_qemu()) {
        return;
    }
    path = g_build_filename(g_get_tmp_dir(), "memcore-qemu-direct", NULL);
    fd = open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
    unlink(path);
    g_free(path);
    if (fd < 0) {
        g_test_skip("no direct I/O in the folder for temporary files");
        return;
    }
    close(fd);
    there_and_back(DIRECT_IO, 0);
}

static void base(void)
{
    if (!skip_without_qemu()) {
        there_and_back(PLAIN, 0x234);
    }
}

/* QEMU compares the uuid in the file with its own. */
static void uuid(void)
{
    static const uint8_t bytes[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8 };
    static const char *const uuids[] = { "12345678-9abc-def0-0102-030405060708",
                                         "12345678-9abc-def0-0102-030405060709" };
    RamSaveParameters parameters;
    MappedRamFile *file;
    Qemu qemu;
    int fd;

    if (skip_without_qemu()) {
        return;
    }
    begin();
    parameters = (RamSaveParameters){ .path = ours, .machine = "none", .uuid = bytes };
    save(&parameters);
    for (size_t other = 0; other < G_N_ELEMENTS(uuids); other++) {
        const char *const arguments[] = { "-machine", "none", "-S", "-incoming", "defer", "-uuid", uuids[other], NULL };

        qemu_start_as(&qemu, arguments);
        qemu_set_capability(&qemu, "mapped-ram", true);
        qemu_set_capability(&qemu, "validate-uuid", true);
        start_move(&qemu, "migrate-incoming", ours, 0);
        check_number(qemu_completes(&qemu), other == 0);
        if (other == 0) {
            move(&qemu, "migrate", theirs, 0);
        }
        qemu_end(&qemu);
    }
    file = probe(theirs, 0, &fd);
    check(file->has_uuid && memcmp(file->uuid, bytes, sizeof(bytes)) == 0);
    mapped_ram_free(file);
    close(fd);
    load_and_compare(theirs, 0);
    end();
}

/* Records of devices, which memcore does not understand, between the END of the RAM and EOF. */
typedef struct {
    uint8_t *bytes;
    gsize length;
} Devices;

static const void *give_devices(void *opaque, size_t *length)
{
    const Devices *devices = opaque;

    *length = devices->length;
    return devices->bytes;
}

/* Behind them are EOF and a description that ends the file. */
static void read_devices(Devices *devices)
{
    int fd;
    MappedRamFile *file = probe(theirs, 0, &fd);
    const size_t length = file->size - file->end;
    size_t at = 0;

    devices->bytes = g_malloc(length);
    check_number(pread(fd, devices->bytes, length, (off_t)file->end), length);
    while (at + 6 < length && !(devices->bytes[at] == 0 && devices->bytes[at + 1] == 6 &&
                                (size_t)ldl_be_p(devices->bytes + at + 2) == length - at - 6)) {
        at++;
    }
    devices->length = at;
    check(at > 0 && devices->bytes[0] == 4 && devices->bytes[at - 5] == 0x7e);
    mapped_ram_free(file);
    close(fd);
}

static void devices_go_along(void)
{
    Devices devices = { 0 };
    RamSaveParameters parameters;
    Qemu qemu;

    if (skip_without_qemu()) {
        return;
    }
    begin();
    for (unsigned turn = 0; turn < 2; turn++) {
        parameters = (RamSaveParameters){
            .path = ours, .machine = "none", .save_devices = turn ? give_devices : NULL, .opaque = &devices,
        };
        save(&parameters);
        qemu_start(&qemu);
        qemu_set_capability(&qemu, "mapped-ram", true);
        move(&qemu, "migrate-incoming", ours, 0);
        if (!turn) {
            move(&qemu, "migrate", theirs, 0);
            read_devices(&devices);
        }
        qemu_end(&qemu);
        unlink(ours);
    }
    g_free(devices.bytes);
    end();
}

/* Firmware which counts in each word of [0x10000, 0x80000), without an end. */
static void write_guest(const char *path)
{
    static const uint8_t code[] = {
        0xb8, 0x00, 0x10,               /* start:   mov ax, 0x1000 */
        0x8e, 0xd8,                     /* segment: mov ds, ax */
        0x31, 0xdb,                     /*          xor bx, bx */
        0xff, 0x07,                     /* word:    inc word [bx] */
        0x83, 0xc3, 0x02,               /*          add bx, 2 */
        0x75, 0xf9,                     /*          jnz word */
        0x05, 0x00, 0x10,               /*          add ax, 0x1000 */
        0x3d, 0x00, 0x80,               /*          cmp ax, 0x8000 */
        0x72, 0xed,                     /*          jb segment */
        0xeb, 0xe8,                     /*          jmp start */
    };
    static const uint8_t reset[] = { 0xea, 0x00, 0x00, 0x00, 0xf0 };       /* jmp 0xf000:0 */
    enum { SIZE = 64 << 10 };
    uint8_t *firmware = g_malloc0(SIZE);
    GError *error = NULL;

    memcpy(firmware, code, sizeof(code));
    memcpy(firmware + SIZE - 16, reset, sizeof(reset));
    g_file_set_contents(path, (const char *)firmware, SIZE, &error);
    g_assert_no_error(error);
    g_free(firmware);
}

/* A guest writes all the time; the file has its memory as it was at the end, and that is what QEMU has then. */
static void live(void)
{
    enum { COMPARED = 0xa0000, FROM = 0x10000, TO = 0x80000 };
    uint8_t *bytes;
    char *firmware, *memory, *actual;
    const MappedRamBlock *saved;
    MappedRamFile *file;
    unsigned changes = 0;
    gsize length;
    Qemu qemu;
    int fd;

    if (skip_without_qemu()) {
        return;
    }
    begin();
    firmware = g_build_filename(folder, "guest", NULL);
    memory = g_build_filename(folder, "memory", NULL);
    write_guest(firmware);
    qemu_start_as(&qemu, (const char *const[]){ "-machine", "microvm,accel=tcg", "-bios", firmware, NULL });
    qemu_set_capability(&qemu, "mapped-ram", true);
    /* So slow that all of it changes meanwhile, and so patient that the second look ends it. */
    qemu_tell(&qemu, "{\"execute\": \"migrate-set-parameters\", \"arguments\": "
              "{\"max-bandwidth\": 1048576, \"downtime-limit\": 2000}}");
    g_usleep(300000);
    move(&qemu, "migrate", theirs, 0);
    qemu_tell(&qemu, "{\"execute\": \"pmemsave\", \"arguments\": {\"val\": 0, \"size\": %d, \"filename\": \"%s\"}}",
              (int)COMPARED, memory);
    qemu_end(&qemu);

    file = probe(theirs, 0, &fd);
    saved = mapped_ram_find_block(file, "microvm.ram");
    bytes = g_malloc(COMPARED);
    g_assert_true(g_file_get_contents(memory, &actual, &length, NULL));
    if (check(saved != NULL && length == COMPARED)) {
        check(mapped_ram_read_pages(file, saved, 0, COMPARED / TARGET_PAGE_SIZE, bytes, &error_abort));
        check(memcmp(bytes, actual, COMPARED) == 0);
        for (size_t at = FROM; at + 2 < TO; at += 2) {
            changes += bytes[at] != bytes[at + 2] || bytes[at + 1] != bytes[at + 3];
        }
        check(bytes[FROM] != 0 || bytes[FROM + 1] != 0);
        check_number(changes <= 1, true);       /* where the guest was when it was stopped */
    }
    g_free(actual);
    g_free(bytes);
    mapped_ram_free(file);
    close(fd);
    unlink(firmware);
    unlink(memory);
    g_free(firmware);
    g_free(memory);
    end();
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    conformance_start(&argc, &argv);
    conformance_case("/R-SAVE-11/there-and-back", plain);
    conformance_case("/R-MRAM-8/multifd", multifd);
    conformance_case("/R-MRAM-8/direct-io", direct_io);
    conformance_case("/R-MRAM-6/base", base);
    conformance_case("/R-STRM-2/uuid", uuid);
    conformance_case("/R-STRM-7/devices", devices_go_along);
    conformance_case("/R-MRAM-7/live", live);
    return qemu_status(g_test_run());
}
