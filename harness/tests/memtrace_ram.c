/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memtrace ram on small files of one block, "ram": eight pages of 4 KiB, some of them present. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "memtrace_tool.h"

enum { PAGES = 8, PAGE = 4096, PAGES_AT = 0x1000, BITMAP_AT = 0x81 };

static void put(GByteArray *bytes, const void *piece, size_t size)
{
    g_byte_array_append(bytes, piece, (guint)size);
}

#define PUT(bytes, literal) put((bytes), (literal), sizeof(literal) - 1)

/* The configuration of other machines, and no RAM. */
static void put_configured(const char *name)
{
    GByteArray *bytes = g_byte_array_new();

    PUT(bytes, "QEVM\0\0\0\3" "\7\0\0\0\4virt" "\5\x1e" "configuration/target-page-bits\0\0\0\1\0\0\0\x0c");
    PUT(bytes, "\5\x1a" "configuration/capabilities\0\0\0\1\0\0\0\2\x0fx-ignore-shared\x0amapped-ram");
    PUT(bytes, "\5\x12" "configuration/uuid\0\0\0\1" "\x12\x34\x56\x78\x9a\xbc\xde\xf0\1\2\3\4\5\6\7\x8");
    PUT(bytes, "\1\0\0\0\1\3ram\0\0\0\0\0\0\0\4" "\0\0\0\0\0\0\0\4" "\0\0\0\0\0\0\0\x10\x7e\0\0\0\1");
    PUT(bytes, "\3\0\0\0\1" "\0\0\0\0\0\0\0\x10\x7e\0\0\0\1" "\0");
    put_file(name, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
}

/* Present pages are filled with `filling`, what lies in the file for the others is garbage. */
static GByteArray *snapshot(uint8_t present, uint8_t filling)
{
    GByteArray *bytes = g_byte_array_new();

    PUT(bytes, "QEVM\0\0\0\3" "\7\0\0\0\4none");
    PUT(bytes, "\5\x1a" "configuration/capabilities\0\0\0\1\0\0\0\1\x0amapped-ram");
    PUT(bytes, "\1\0\0\0\1\3ram\0\0\0\0\0\0\0\4");
    PUT(bytes, "\0\0\0\0\0\0\x80\4" "\3ram\0\0\0\0\0\0\x80\0");
    PUT(bytes, "\0\0\0\1" "\0\0\0\0\0\0\x10\0" "\0\0\0\0\0\0\0\x81" "\0\0\0\0\0\0\x10\0");
    g_assert_cmpuint(bytes->len, ==, BITMAP_AT);
    g_byte_array_set_size(bytes, PAGES_AT + PAGES * PAGE);
    memset(bytes->data + BITMAP_AT, 0, bytes->len - BITMAP_AT);
    bytes->data[BITMAP_AT] = present;
    for (unsigned page = 0; page < PAGES; page++) {
        memset(bytes->data + PAGES_AT + page * PAGE, present >> page & 1 ? filling : 0xee, PAGE);
    }
    PUT(bytes, "\0\0\0\0\0\0\0\x10\x7e\0\0\0\1");
    PUT(bytes, "\3\0\0\0\1" "\0\0\0\0\0\0\0\x10\x7e\0\0\0\1" "\0");
    return bytes;
}

static void put_snapshot(const char *name, uint8_t present, uint8_t filling, size_t less)
{
    GByteArray *bytes = snapshot(present, filling);

    put_file(name, bytes->data, bytes->len - less);
    g_byte_array_unref(bytes);
}

static void test_info(void)
{
    put_snapshot("a.mig", 0x23, 0x11, 0);
    put_snapshot("cut.mig", 0x23, 0x11, 19);
    assert_output("ram info a.mig", 0,
                  "a.mig: complete, machine none, 32 KiB of RAM in 1 block\n"
                  "  RAM ends at 0x901f, then 1 byte of devices and description\n"
                  "block     length    page      bitmap at       pages at    present       zero  where\n"
                  "ram       32 KiB   4 KiB           0x81         0x1000          3          5  [@@   @  ]\n", "");
    assert_output("ram info cut.mig", 1, "",
                  "memtrace ram: cut.mig: record at 0x900d needs 1 bytes, but the file ends at 0x900d\n");
    assert_output("ram info -u cut.mig", 1,
                  "cut.mig: INCOMPLETE, machine none, 32 KiB of RAM in 1 block\n"
                  "  record at 0x900d needs 1 bytes, but the file ends at 0x900d\n"
                  "block     length    page      bitmap at       pages at    present       zero  where\n"
                  "ram       32 KiB   4 KiB           0x81         0x1000          3          5  [@@   @  ]\n", "");
    put_configured("virt.mig");
    assert_output("ram info virt.mig", 0,
                  "virt.mig: complete, machine virt, 0 B of RAM in 0 blocks\n"
                  "  target-page-bits 12\n"
                  "  uuid 12345678-9abc-def0-0102-030405060708\n"
                  "  x-ignore-shared: blocks have a guest address, which QEMU writes but does not load\n"
                  "  RAM ends at 0xd8, then 1 byte of devices and description\n"
                  "block     length    page      bitmap at       pages at    present       zero  where\n", "");
    assert_output("ram verify virt.mig", 1, "", NULL);
    remove_file("virt.mig");
    assert_output("ram info -b 8 a.mig", 1, "", NULL);
    assert_output("ram info missing.mig", 2, "",
                  "memtrace ram: missing.mig: cannot be opened: No such file or directory\n");
    assert_output("ram info .", 1, "",
                  "memtrace ram: .: not a regular file: mapped-ram needs pages at fixed offsets\n");
}

static void test_verify(void)
{
    assert_output("ram verify a.mig", 0, "a.mig: sound, 1 block, 3 present pages\n", "");
    assert_output("ram verify cut.mig a.mig", 1, "a.mig: sound, 1 block, 3 present pages\n",
                  "memtrace ram: cut.mig: record at 0x900d needs 1 bytes, but the file ends at 0x900d\n");
}

static void test_diff(void)
{
    put_snapshot("b.mig", 0x21, 0x11, 0);       /* page 1 went */
    put_snapshot("c.mig", 0x27, 0x12, 0);       /* page 2 came, all others changed */
    put_snapshot("zero.mig", 0xff, 0, 0);       /* all present, all zero */
    put_snapshot("none.mig", 0, 0, 0);
    assert_output("ram diff a.mig a.mig", 0, "0 of 8 pages differ\n", "");
    assert_output("ram diff zero.mig none.mig", 0, "0 of 8 pages differ\n", "");
    assert_output("ram diff a.mig b.mig", 1, "ram: 1 page from 0x1000 to 0x2000\n1 of 8 pages differ\n", "");
    assert_output("ram diff a.mig c.mig", 1,
                  "ram: 3 pages from 0 to 0x3000\nram: 1 page from 0x5000 to 0x6000\n4 of 8 pages differ\n", "");
    assert_output("ram diff a.mig cut.mig", 1, "", NULL);
    assert_output("ram diff a.mig missing.mig", 2, "", NULL);
}

static void test_extract(void)
{
    const char *const names[] = { "a.mig", "none.mig" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *arguments = g_strdup_printf("ram extract ram %s -o out", names[i]), *bytes;
        size_t size;

        assert_output(arguments, 0, "", "");
        bytes = get_file("out", &size);
        g_assert_cmpuint(size, ==, PAGES * PAGE);
        for (size_t k = 0; k < size; k++) {
            g_assert_cmphex((guint8)bytes[k], ==, i == 0 && (0x23 >> k / PAGE & 1) ? 0x11 : 0);
        }
        g_free(bytes);
        g_free(arguments);
    }
    assert_output("ram extract rom a.mig -o out", 2, "", "memtrace ram: a.mig: no block \"rom\"; there are: \"ram\"\n");
    assert_output("ram extract ram a.mig -o /dev/full", 2, "",
                  "memtrace ram: cannot write /dev/full: No space left on device\n");
    remove_file("out");
}

static void test_usage(void)
{
    assert_output("ram look a.mig", 2, "", "memtrace ram: 'look' is not one of info, verify, diff, extract\n");
    assert_output("ram info", 2, "", NULL);
    assert_output("ram diff a.mig", 2, "", NULL);
    assert_output("ram extract ram", 2, "", NULL);
    assert_output("ram info a.mig -o out", 2, "", NULL);
    assert_output("ram verify -u a.mig", 2, "", NULL);
    assert_output("ram info -b -1 a.mig", 2, "", NULL);
    assert_files("a.mig b.mig c.mig cut.mig none.mig zero.mig ");
    remove_file("a.mig");
    remove_file("b.mig");
    remove_file("c.mig");
    remove_file("cut.mig");
    remove_file("none.mig");
    remove_file("zero.mig");
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    tool_start(argv[0]);
    g_test_add_func("/memtrace-ram/info", test_info);
    g_test_add_func("/memtrace-ram/verify", test_verify);
    g_test_add_func("/memtrace-ram/diff", test_diff);
    g_test_add_func("/memtrace-ram/extract", test_extract);
    g_test_add_func("/memtrace-ram/usage", test_usage);
    status = g_test_run();
    tool_stop();
    return status;
}
