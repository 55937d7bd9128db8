/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memtrace show: traces as text.
 */
#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memtrace/commands.h"
#include "memtrace/input.h"
#include "memtrace/option.h"
#include "trace/reference.h"
#include "trace/table.h"

static const char help[] =
    "Usage: memtrace show [OPTION]... FILE...\n"
    "\n"
    "Print traces (text or binary) in the one canonical spelling of the text form.\n"
    "\n"
    "  -n, --numbers        begin each line with the step's number, as in reports\n"
    "  -b, --binary-info    print header and records of the binary form instead: what\n"
    "                       is in a binary file, what a text file will be packed to\n"
    "  -o, --operations     print the operations and operands of the language, as\n"
    "                       Markdown\n"
    "      --binary         the file is binary, whatever it looks like\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 printed, 2 usage or an unreadable file.\n"
    "\n"
    "Example: memtrace show crash-0a1b2c > crash.trace\n";

static void print_numbered(const struct trace *t)
{
    for (size_t i = 0; i < t->count; i++) {
        char line[512];

        trace_print_step(&t->steps[i], line, sizeof(line));
        printf("%5zu  %s\n", i + 1, line);
    }
}

static uint64_t little_endian(const uint8_t *bytes, size_t size)
{
    uint64_t number = 0;

    while (size-- > 0) {
        number = number << 8 | bytes[size];
    }
    return number;
}

/* Not canonical: the step it stands for is written in other bytes by `pack`. */
static void print_record(const struct trace *t, size_t index, const uint8_t *data, size_t at, bool canonical)
{
    const uint8_t *record = data + at;
    char line[512];

    trace_print_step(&t->steps[index], line, sizeof(line));
    printf("  %06zx  %02x  %02x  %04" PRIx64 " %04" PRIx64 " %04" PRIx64 "  %08" PRIx64 "  %016" PRIx64
           " %016" PRIx64 " %c %s\n",
           at, record[0], record[1], little_endian(record + 2, 2), little_endian(record + 4, 2),
           little_endian(record + 6, 2), little_endian(record + 8, 4), little_endian(record + 12, 8),
           little_endian(record + 20, 8), canonical ? ' ' : '*', line);
}

static void print_binary_info(const struct input *in, const char *path)
{
    const struct trace *t = &in->trace;
    const uint8_t *data = in->data;
    size_t size = in->size, packed_size = trace_encode(t, NULL, 0);
    uint8_t *packed = g_malloc(packed_size);
    size_t different = 0, left_over;

    trace_encode(t, packed, packed_size);
    printf("%s: %s, %zu bytes", path, in->binary ? "binary" : "text", size);
    if (!in->binary) {
        printf("; packed %zu bytes", packed_size);
        data = packed;
        size = packed_size;
    }
    left_over = size < TRACE_HEADER_SIZE ? 0 : size - TRACE_HEADER_SIZE - t->count * TRACE_RECORD_SIZE;
    printf("\n  groups 0x%08x:", t->groups);
    for (enum trace_group group = 0; group < TRACE_GROUP_COUNT; group++) {
        if (t->groups & TRACE_GROUP_BIT(group)) {
            printf(" %s", trace_group_names[group]);
        }
    }
    printf("\n  %zu records of %d bytes, %zu bytes after them\n", t->count, TRACE_RECORD_SIZE, left_over);
    if (t->count > 0) {
        printf("\n  offset  op mode   a    b    c         n                 v                w   step\n");
    }
    for (size_t i = 0; i < t->count; i++) {
        size_t at = TRACE_HEADER_SIZE + i * TRACE_RECORD_SIZE;
        bool canonical = memcmp(data + at, packed + at, TRACE_RECORD_SIZE) == 0;

        different += !canonical;
        print_record(t, i, data, at, canonical);
    }
    if (different > 0) {
        printf("\n  * %zu records have other bytes when they are packed again\n", different);
    }
    g_free(packed);
}

static bool show_file(const char *path, unsigned flags, bool numbers, bool binary_info)
{
    struct input in;

    /* What is in a file that is too short for a step is a question too. */
    if (!input_load(&in, path, flags | (binary_info ? INPUT_ANY_SIZE : 0))) {
        return false;
    }
    if (binary_info) {
        print_binary_info(&in, path);
    } else if (numbers) {
        print_numbered(&in.trace);
    } else {
        trace_print(&in.trace, stdout);
    }
    input_free(&in);
    return true;
}

int cmd_show(int argc, char **argv)
{
    static const struct option options[] = {
        { "numbers", no_argument, NULL, 'n' }, { "binary-info", no_argument, NULL, 'b' },
        { "operations", no_argument, NULL, 'o' }, { "binary", no_argument, NULL, 'B' },
        { "help", no_argument, NULL, 'h' }, { 0 },
    };
    bool numbers = false, binary_info = false;
    unsigned flags = 0;
    const struct option_target target = { .command = "memtrace show", .help = help, .input_flags = &flags };
    int option, status = 0;

    while ((option = getopt_long(argc, argv, "nboh", options, NULL)) != -1) {
        switch (option) {
        case 'n':
            numbers = true;
            break;
        case 'b':
            binary_info = true;
            break;
        case 'o':
            trace_write_operations(stdout);
            return 0;
        default:
            if (!option_shared(option, &target, &status)) {
                return status;
            }
        }
    }
    if (optind == argc) {
        fprintf(stderr, "memtrace show: which trace? See memtrace show --help\n");
        return 2;
    }
    for (int i = optind; i < argc; i++) {
        if (argc - optind > 1 && !binary_info) {
            printf("%s# %s\n", i > optind ? "\n" : "", argv[i]);
        }
        if (!show_file(argv[i], flags, numbers, binary_info)) {
            status = 2;
        }
    }
    return status;
}
