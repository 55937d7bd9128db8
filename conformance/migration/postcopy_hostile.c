/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 6.5: streams that a destination must refuse, and what is next to them. */
#include <errno.h>
#include <string.h>

#include "exec/ram_addr.h"
#include "postcopy_reader.h"

/* --- sections and commands --------------------------------------------------------------------------- */

static void bad_stream(const char *hex, const char *text)
{
    reader_begin();
    put_hex(reader.tape.in, hex);
    reader_refused(text);
    check_number(reader.ram->host[0], 0x11);
    reader_end();
}

static void beginnings(void)
{
    bad_stream("51 45 56 4e 00 00 00 03", "0x5145564e");
    bad_stream("51 45 56 4d 00 00 00 02", "version 2");
    bad_stream("51 45 56 4d 00 00 00 03 01", "configuration");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 00", "0 bytes");
    bad_stream("51 45 56 4d 00 00 00 03 07 ff ff ff ff", "4294967295 bytes");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 02 61 00", "NUL");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 01 61 05 01 78 00 00 00 01", "subsection \"x\"");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 01 61 05 00", "0 bytes");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 01 61 05 01 78 00", "version of a subsection");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 01 61 04", "record 0x04");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 01 61 00", "ends before");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 01 61 02 00 00 00 01", "was not started");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 01 61 02 00 00 00 00", "was not started");
    reader_begin();
    reader.mis.machine = "none";
    put_begin(reader.tape.in, "non");
    reader_refused("\"non\", not \"none\"");
    reader_end();
}

static void put_subsection(const char *name, uint32_t version)
{
    put(reader.tape.in, 5, 1);
    put_name(reader.tape.in, name);
    put(reader.tape.in, version, 4);
}

/* What a configuration says besides the machine; each alone, and all with the rest of a good stream. */
static void subsections(void)
{
    static const struct {
        const char *name, *content, *text;
        uint32_t version;
    } bad[] = {
        { "configuration/uuid", "00 11 22", "uuid", 1 },
        { "configuration/uuid", "00 11 22", "\"configuration/uuid\", version 2, is not known", 2 },
        { "configuration/target-page-bits", "00 00", "target-page-bits", 1 },
        { "configuration/target-page-bits", "00 00 00 09", "are 9 there", 1 },
        { "configuration/target-page-bits", "00 00 00 0c", "version 0, is not known", 0 },
        { "configuration/capabilities", "00 00 00 00", "is not known", 1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        reader_begin();
        put_begin(reader.tape.in, "none");
        put_subsection(bad[i].name, bad[i].version);
        put_hex(reader.tape.in, bad[i].content);
        reader_refused(bad[i].text);
        reader_end();
    }
    reader_begin();
    put_begin(reader.tape.in, "none");
    put_command(reader.tape.in, 1, NULL, 0);
    put_subsection("configuration/uuid", 1);
    reader_refused("without a section");
    reader_end();
    for (unsigned named = 0; named < 2; named++) {
        reader_begin();
        reader.mis.machine = named ? "none" : NULL;
        put_begin(reader.tape.in, "none");
        put_subsection("configuration/uuid", 1);
        put_hex(reader.tape.in, "00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff");
        put_subsection("configuration/target-page-bits", 1);
        put(reader.tape.in, TARGET_PAGE_BITS, 4);
        put_command(reader.tape.in, 1, NULL, 0);
        put_advise(reader.tape.in, reader.host_page, TARGET_PAGE_SIZE);
        put_start(reader.tape.in, "ram", READER_PAGES * reader.host_page);
        put_precopy();
        put_switch();
        put_postcopy();
        check_number(reader_receive(), 0);
        reader_end();
    }
}

/* The section's header, its list and its end, byte by byte. */
static void sections(void)
{
    static const struct {
        const char *hex, *text;
    } bad[] = {
        { "01 00 00 00 02 03 72 61 78 00 00 00 00 00 00 00 04", "\"rax\", instance 0, version 4" },
        { "01 00 00 00 02 03 72 61 6d 00 00 00 01 00 00 00 04", "instance 1" },
        { "01 00 00 00 02 03 72 61 6d 00 00 00 00 00 00 00 03", "version 3" },
        { "01 00 00 00 02 03 72 61 6d 00 00 00 00 00 00 00 04 00 00 00 00 00 00 00 08", "not with the total length" },
        { "01 00 00 00 02 03 72 61 6d 00 00 00 00 00 00 00 04 00 00 00 00 00 00 00 05", "not with the total length" },
        { "01 00 00 00 02 03 72 61 6d 00 00 00 00 00 00 00 04 00 00 00 00 00 00 02 04", "not with the total length" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        reader_begin();
        put_begin(reader.tape.in, "none");
        put_hex(reader.tape.in, bad[i].hex);
        reader_refused(bad[i].text);
        reader_end();
    }
    reader_begin();
    put_begin(reader.tape.in, "none");
    put_start(reader.tape.in, "ram", READER_PAGES * reader.host_page);
    reader.tape.in->data[reader.tape.in->len - 6] = 0x18;       /* before the footer, the list's end */
    reader_refused("the list of blocks ends with 0x18");
    reader_end();
    reader_begin();
    put_setup();
    put(reader.tape.in, 2, 1);
    put(reader.tape.in, 99, 4);
    reader_refused("section 99 goes on");
    reader_end();
    reader_begin();
    put_setup();
    put_section(reader.tape.in, 2);
    put(reader.tape.in, 0x10, 8);
    put_hex(reader.tape.in, "7f 00 00 00 02");
    reader_refused("is 0x7f of section");
    reader_end();
    /* A package that begins well. */
    reader_begin();
    put_setup();
    put_command_u32(reader.tape.in, 7, 10);
    put_hex(reader.tape.in, "08 00 04 00 00 08 00 05 00 01");
    reader_refused("end with RUN");
    check_number(reader.guest.runs, 0);
    reader_end();
    /* LISTEN, before there is anything to listen for. */
    reader_begin();
    put_begin(reader.tape.in, "none");
    put_command(reader.tape.in, 1, NULL, 0);
    put_advise(reader.tape.in, reader.host_page, TARGET_PAGE_SIZE);
    put_command(reader.tape.in, 4, NULL, 0);
    reader_refused("LISTEN before the list of blocks");
    reader_end();
}

/* A block that the list does not name, and that nobody sends, is no block of the migration. */
static void blocks_that_stay(void)
{
    for (unsigned what = 0; what < 2; what++) {
        MemoryRegion *other;

        reader_begin();
        other = stage_ram_migratable("stays", 2 * reader.host_page);
        qemu_ram_unset_migratable(other->ram_block);
        put_setup();
        if (what == 0) {
            put_discard(reader.tape.in, "stays", 0, reader.host_page);
            reader_refused("\"stays\", of which pages are to be discarded");
        } else {
            put_section(reader.tape.in, 2);
            put_page(reader.tape.in, "stays", 0, 1);
            reader_refused("\"stays\" is not here");
        }
        reader_end();
        stage_release(other);
        memcore_drain();
    }
}

/* Pages before ADVISE go into memory, but a migration without postcopy has no end.  No shutdown is needed. */
static void without_postcopy(void)
{
    reader_begin();
    put_begin(reader.tape.in, "none");
    put_start(reader.tape.in, "ram", READER_PAGES * reader.host_page);
    put_section(reader.tape.in, 3);
    put_whole("ram", 0, 0x20);
    put_whole(NULL, 1, -1);             /* over 0x11 */
    put_section_end(reader.tape.in);
    put(reader.tape.in, 0, 1);
    reader_refused("the end in postcopy state \"none\"");
    check_number(reader.ram->host[0], 0x20);
    check_number(reader.ram->host[reader.host_page], 0);
    reader_end();
    reader_begin();
    reader.mis.transport.shutdown = NULL;
    put_begin(reader.tape.in, "none");
    put(reader.tape.in, 0, 1);
    check_number(reader_receive(), (uint64_t)-1);
    check(!reader.tape.shut);
    /* The end of an earlier one is no obstacle. */
    postcopy_state_set(POSTCOPY_INCOMING_END);
    error_free(reader.mis.error);
    reader.mis.error = NULL;
    put_all();
    check_number(reader_receive(), 0);
    reader_end();
}

static int cannot_send(void *opaque, const void *bytes, size_t length)
{
    (void)opaque;
    (void)bytes;
    (void)length;
    return -EPIPE;
}

/* One that nobody hears, and one into a connection that is broken. */
static void pongs(void)
{
    reader_begin();
    reader.mis.transport.send = cannot_send;
    put_setup();
    reader_refused("a ping cannot be answered");
    reader_end();
}

static void bad_command(uint16_t command, const char *payload, const char *text)
{
    GByteArray *bytes = g_byte_array_new();

    reader_begin();
    put_setup();
    put_hex(bytes, payload);
    put_command(reader.tape.in, command, bytes->data, bytes->len);
    reader_refused(text);
    reader_end();
    g_byte_array_unref(bytes);
}

static void commands(void)
{
    bad_command(0, "", "command 0 is not known");
    bad_command(8, "", "command 8 is not known");
    bad_command(12, "", "command 12 is not known");
    bad_command(0xffff, "", "command 65535 is not known");
    bad_command(1, "00", "command 1 has 1 bytes, not 0");
    bad_command(2, "00 00 00", "command 2 has 3 bytes, not 4");
    bad_command(3, "00 00 00 00 00 00 10 00 00 00 00 00 00 00 10 00 00", "command 3 has 17 bytes, not 16");
    bad_command(4, "00", "command 4 has 1 bytes");
    bad_command(7, "00 00 00 09", "a package has 9 bytes");
    bad_command(7, "01 00 00 00", "package: the connection");
    bad_command(7, "01 00 00 01", "a package has 16777217 bytes");
    bad_command(7, "00 ff ff ff", "package: the connection");
    reader_begin();
    put_setup();
    put_command_u32(reader.tape.in, 7, 10);
    put_hex(reader.tape.in, "08 00 05 00 00 08 00 04 00 00");
    reader_refused("does not start with LISTEN");
    check_number(reader.guest.runs, 0);
    reader_end();
    for (unsigned what = 0; what < 3; what++) {
        reader_begin();
        put_begin(reader.tape.in, "none");
        put_advise(reader.tape.in, reader.host_page * (what == 0 ? 2 : 1), TARGET_PAGE_SIZE * (what == 1 ? 2 : 1));
        if (what < 2) {
            reader_refused("the source has pages");
            check_number(reader.ram->host[0], 0x11);
        } else {
            put_start(reader.tape.in, "ram", READER_PAGES * reader.host_page);
            put_command(reader.tape.in, 4, NULL, 0);
            reader_refused("before OPEN_RETURN_PATH");
        }
        reader_end();
    }
    reader_begin();
    put_setup();
    put_command(reader.tape.in, 11, NULL, 0);
    reader_refused("the connection");
    check_number(reader.tape.at, reader.tape.in->len);
    reader_end();
}

static void recovery_is_refused(void)
{
    bad_command(9, "", "command 9 is not known");
    bad_command(10, "03 72 61 6d", "command 10 is not known");
}

/* Names as long as they can be, and a command as short: what is said of them is not that. */
static void longest_names(void)
{
    char *name = g_strnfill(255, 'x'), *longer = g_strnfill(256, 'x');

    reader_begin();
    put_setup();
    put_discard(reader.tape.in, "x", 0, reader.host_page);
    reader_refused("\"x\", of which pages are to be discarded, is not here");
    reader_end();
    reader_begin();
    put_begin(reader.tape.in, name);
    reader_refused("record: the connection");
    reader_end();
    reader_begin();
    put_begin(reader.tape.in, longer);
    reader_refused("machine name has 256 bytes");
    reader_end();
    reader_begin();
    put_setup();
    put_discard(reader.tape.in, name, 0, reader.host_page);
    reader_refused("of which pages are to be discarded, is not here");
    reader_end();
    reader_begin();
    put_begin(reader.tape.in, "none");
    put_subsection(name, 1);
    reader_refused("\", version 1, is not known");
    reader_end();
    reader_begin();
    put_begin(reader.tape.in, "none");
    put_section(reader.tape.in, 1);
    put_name(reader.tape.in, name);
    put_hex(reader.tape.in, "00 00 00 00 00 00 00 04");
    reader_refused("\", instance 0, version 4: \"ram\"");
    reader_end();
    reader_begin();
    put_begin(reader.tape.in, "none");
    put_start(reader.tape.in, name, READER_PAGES * reader.host_page);
    reader_refused("\" is not here");
    reader_end();
    reader_begin();
    put_setup();
    put_section(reader.tape.in, 2);
    put_page(reader.tape.in, name, 0, 1);
    reader_refused("\" is not here");
    reader_end();
    g_free(longer);
    g_free(name);
}

static void discards(void)
{
    const char *range = "00 00 00 00 00 00 00 00 00 00 00 00 00 00 10 00";
    static const struct {
        const char *head, *text;
    } bad[] = {
        { "00 03 72 61", "bytes, fewer than 20" },
        { "01 03 72 61 6d 00 %s", "has version 1" },
        { "00 00 00 %s 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", "empty block name" },
        { "00 03 72 61 6d 01 %s", "ends with 0x01" },
        { "00 03 72 00 6d 00 %s", "NUL byte" },
        { "00 03 78 61 6d 00 %s", "\"xam\"" },
        { "00 03 72 61 6d 00 %s 00", "no whole number of ranges" },
        { "00 ff 72 61 6d 00 %s", "no whole number of ranges" },
        { "00 04 72 61 6d 00 00 %s", "NUL byte" },
        { "00 13 72 61 6d 00 %s", "no whole number of ranges" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        char *payload = g_strdup_printf(bad[i].head, range);

        bad_command(6, payload, bad[i].text);
        g_free(payload);
    }
    static const struct {
        uint64_t start, length;         /* in halves of a host page */
        const char *text;
    } ranges[] = {
        { 1, 2, "no whole pages" }, { 0, 1, "no whole pages" }, { 2 * READER_PAGES, 2, "it has" },
        { 0, 2 * READER_PAGES + 2, "it has" },
        { 2, UINT64_MAX / 2, "it has" }, { UINT64_MAX / 2, 2, "it has" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
        reader_begin();
        put_setup();
        put_precopy();
        put_discard(reader.tape.in, "ram", ranges[i].start * reader.host_page / 2,
                    ranges[i].length * reader.host_page / 2);
        reader_refused(ranges[i].text);
        check_number(reader.mis.counters.discarded, 0);
        check_number(reader.ram->host[0], 0x20);
        reader_end();
    }
}

/* --- the list and pages ------------------------------------------------------------------------- */

static void lists(void)
{
    static const struct {
        unsigned total, length;         /* in pages */
        const char *name, *text;
    } bad[] = {
        { READER_PAGES, READER_PAGES, "rom", "\"rom\" is not here" },
        { READER_PAGES, READER_PAGES, "ra", "\"ra\" is not here" },
        { 2 * READER_PAGES, 2 * READER_PAGES, "ram", "there, 0x" },
        { READER_PAGES, 2 * READER_PAGES, "ram", "there, 0x" },
        { 2 * READER_PAGES, READER_PAGES, "ram", "listed twice" },
        { 0, 0, "ram", "not in the list" },
        { READER_PAGES - 1, READER_PAGES, "ram", "that are left" },       { READER_PAGES, 0, "ram", "there, 0x" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        reader_begin();
        put_begin(reader.tape.in, "none");
        put_section(reader.tape.in, 1);
        put_hex(reader.tape.in, "03 72 61 6d 00 00 00 00 00 00 00 04");
        put(reader.tape.in, bad[i].total * reader.host_page | 4, 8);
        for (unsigned n = 0; n < 2; n++) {
            put_name(reader.tape.in, bad[i].name);
            put(reader.tape.in, bad[i].length * reader.host_page, 8);
        }
        reader_refused(bad[i].text);
        check_number(reader.ram->used_length, READER_PAGES * reader.host_page);
        reader_end();
    }
    reader_begin();
    put_setup();
    put_start(reader.tape.in, "ram", READER_PAGES * reader.host_page);
    reader_refused("started already");
    reader_end();
}

static void bad_page(bool listening, const char *hex, const char *text)
{
    reader_begin();
    put_setup();
    if (listening) {
        put_switch();
    }
    put_section(reader.tape.in, 2);
    put_hex(reader.tape.in, hex);
    reader_refused(text);
    reader_end();
}

static void pages(void)
{
    for (unsigned listening = 0; listening < 2; listening++) {
        bad_page(listening, "00 00 00 00 00 00 00 00", "is no page");
        bad_page(listening, "00 00 00 00 00 00 00 04", "is no page");
        bad_page(listening, "00 00 00 00 00 00 00 0a 03 72 61 6d", "is no page");
        bad_page(listening, "00 00 00 00 00 00 00 09 03 72 61 6d", "is no page");
        bad_page(listening, "00 00 00 00 00 00 02 08 03 72 61 6d", "is no page");
        bad_page(listening, "00 00 00 00 00 00 00 30", "is no page");
        bad_page(listening, "00 00 00 00 00 00 00 48", "is no page");
        bad_page(listening, "00 00 00 00 00 00 00 28", "there is none");
        bad_page(listening, "00 00 00 00 00 00 00 08 03 78 61 6d", "\"xam\" is not here");
        bad_page(listening, "00 00 00 00 00 00 00 08 00", "0 bytes");
        bad_page(listening, "00 00 00 00 00 10 00 08 03 72 61 6d", "a page at 0x100000");
        bad_page(listening, "ff ff ff ff ff ff 00 08 03 72 61 6d", "a page at 0xffffffffffff0000");
        bad_page(listening, "00 00 00 00 00 00 00 02 03 72 61 6d 01", "full of 0x01");
    }
    reader_begin();
    put_setup();
    put_section(reader.tape.in, 2);
    put_hex(reader.tape.in, "00 00 00 00 00 00 00 10 7e 00 00 00 02");
    reader_refused("footer");
    reader_end();
    reader_begin();
    put_setup();
    put_section(reader.tape.in, 3);
    put_section_end(reader.tape.in);
    put_section(reader.tape.in, 2);
    reader_refused("has ended");
    reader_end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-WIRE-1/beginnings", beginnings);
    postcopy_case("/R-WIRE-1/commands", commands);
    postcopy_case("/R-WIRE-1/subsections", subsections);
    postcopy_case("/R-WIRE-2/pongs", pongs);
    postcopy_case("/R-WIRE-4/sections", sections);
    postcopy_case("/R-WIRE-4/blocks-that-stay", blocks_that_stay);
    postcopy_case("/R-PC-2/without-postcopy", without_postcopy);
    postcopy_case("/R-WIRE-1/longest-names", longest_names);
    postcopy_case("/R-WIRE-3/discards", discards);
    postcopy_case("/R-WIRE-4/lists", lists);
    postcopy_case("/R-WIRE-4/pages", pages);
    postcopy_case("/R-WIRE-7/refused", recovery_is_refused);
    return g_test_run();
}
