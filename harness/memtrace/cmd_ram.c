/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memtrace ram: a look into snapshot files, without a machine.
 */
#include "memtrace/option.h"
#include "memtrace/ram_file.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memtrace/commands.h"
#include "memtrace/files.h"

static const char help[] =
    "Usage: memtrace ram info FILE...\n"
    "       memtrace ram verify FILE...\n"
    "       memtrace ram diff FILE FILE\n"
    "       memtrace ram extract BLOCK FILE [-o OUT]\n"
    "\n"
    "Look into RAM snapshots: mapped-ram files, as QEMU 9 and later write them with\n"
    "`migrate_set_capability mapped-ram on` and `migrate file:FILE`.\n"
    "\n"
    "  info      machine, uuid, blocks, where they are in the file, present and zero\n"
    "            pages, and a bar of where these are: ' ' none, . : + # some, @ all\n"
    "  verify    check the whole layout, and that each present page can be read\n"
    "  diff      the pages in which two snapshots differ\n"
    "  extract   the bytes of one block, zero pages as holes\n"
    "\n"
    "  -o, --output OUT     extract: write there (default: standard output, if it\n"
    "                       is no terminal)\n"
    "  -b, --base OFFSET    the stream starts there in the file (QEMU's\n"
    "                       `file:FILE,offset=OFFSET`)\n"
    "  -u, --unverified     info: show what is known of a file that was not finished,\n"
    "                       too\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 sound (diff: equal), 1 not a sound snapshot (diff: they differ),\n"
    "2 usage or a file that cannot be opened or written.\n"
    "\n"
    "Example: memtrace ram info before.mig && memtrace ram diff before.mig after.mig\n";

int ram_file_open(RamFile *file, const char *path, uint64_t base, unsigned flags)
{
    Error *error = NULL;

    /* A FIFO is refused by the probe; opening it must not wait for a writer. */
    *file = (RamFile){ .path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
    if (file->fd < 0) {
        fprintf(stderr, "memtrace ram: %s: cannot be opened: %s\n", path, g_strerror(errno));
        return 2;
    }
    file->ram = mapped_ram_probe(file->fd, base, flags | MAPPED_RAM_ANY_PAGE_SIZE, NULL, &error);
    if (!file->ram) {
        ram_complain(file, error);
        return 1;
    }
    return 0;
}

void ram_file_close(RamFile *file)
{
    mapped_ram_free(file->ram);
    if (file->fd >= 0) {
        close(file->fd);
    }
}

void ram_complain(const RamFile *file, Error *error)
{
    fprintf(stderr, "memtrace ram: %s: %s\n", file->path, error_get_pretty(error));
    error_free(error);
}

static int verify(const RamFile *file)
{
    uint8_t *bytes = g_malloc(1 << 20);
    uint64_t pages = 0;
    Error *error = NULL;

    for (size_t i = 0; i < file->ram->block_count && !error; i++) {
        const MappedRamBlock *block = &file->ram->blocks[i];
        uint64_t count;

        for (uint64_t page = 0; page < block->pages && !error; page += count) {
            const bool present = mapped_ram_page_present(block, page);

            count = mapped_ram_run(block, page);
            if (present) {
                count = MIN(count, ram_chunk(block, page));
                mapped_ram_read_pages(file->ram, block, page, count, bytes, &error);
                pages += count;
            }
        }
    }
    g_free(bytes);
    if (error) {
        ram_complain(file, error);
        return 1;
    }
    printf("%s: sound, %zu block%s, %" PRIu64 " present page%s\n", file->path, file->ram->block_count,
           file->ram->block_count == 1 ? "" : "s", pages, pages == 1 ? "" : "s");
    return 0;
}

static const MappedRamBlock *find_or_complain(const RamFile *file, const char *name)
{
    const MappedRamBlock *block = mapped_ram_find_block(file->ram, name);

    if (!block) {
        fprintf(stderr, "memtrace ram: %s: no block \"%s\"; there %s", file->path, name,
                file->ram->block_count ? "are:" : "are none");
        for (size_t i = 0; i < file->ram->block_count; i++) {
            char *readable = g_strescape(file->ram->blocks[i].idstr, NULL);

            fprintf(stderr, " \"%s\"", readable);
            g_free(readable);
        }
        fputc('\n', stderr);
    }
    return block;
}

/* Absent pages are skipped where the output is a new file: the last one gets its last byte. */
static bool write_block(const RamFile *file, const MappedRamBlock *block, FILE *out, bool holes, Error **errp)
{
    uint8_t *bytes = g_malloc0(1 << 20);
    uint64_t page = 0, count;
    bool last_skipped = false, read = true;

    for (; page < block->pages && read && !ferror(out); page += count) {
        const bool skip = holes && !mapped_ram_page_present(block, page);

        count = skip ? mapped_ram_run(block, page) : ram_chunk(block, page);
        if (skip) {
            fseeko(out, (off_t)(count * block->page_size), SEEK_CUR);
        } else {
            if (holes) {
                count = MIN(count, mapped_ram_run(block, page));
            }
            read = mapped_ram_read_pages(file->ram, block, page, count, bytes, errp);
            fwrite(bytes, block->page_size, read ? count : 0, out);
        }
        last_skipped = skip;
    }
    if (read && last_skipped && !ferror(out)) {
        fseeko(out, -1, SEEK_CUR);
        fputc(0, out);
    }
    g_free(bytes);
    return read;
}

static int extract(const RamFile *file, const char *name, const char *output)
{
    const MappedRamBlock *block = find_or_complain(file, name);
    Error *error = NULL;
    FILE *out;

    if (!block || !(out = output_open(output, "memtrace ram"))) {
        return 2;
    }
    if (!write_block(file, block, out, strcmp(output, "-") != 0, &error)) {
        ram_complain(file, error);
        return 1;       /* the temporary file goes when the program ends: the output is all or nothing */
    }
    return output_close(out, output, "memtrace ram") ? 0 : 2;
}

typedef struct {
    const char *output;
    uint64_t base;
    unsigned flags;
} Options;

static int run_each(int (*function)(const RamFile *), char **paths, int count, const Options *options)
{
    /* Files that QEMU cannot load are worth a look, too (R-MRAM-10). */
    const unsigned flags = options->flags | (function == ram_info ? MAPPED_RAM_SKIP_GPA : 0);
    int worst = 0;

    for (int i = 0; i < count; i++) {
        RamFile file;
        int status = ram_file_open(&file, paths[i], options->base, flags);

        status = status ? status : function(&file);
        ram_file_close(&file);
        worst = MAX(worst, status);
    }
    return worst;
}

static int run_diff(char **paths, const Options *options)
{
    RamFile a, b;
    int status_a = ram_file_open(&a, paths[0], options->base, 0);
    int status_b = ram_file_open(&b, paths[1], options->base, 0);
    int status = MAX(status_a, status_b);

    status = status ? status : ram_diff(&a, &b);
    ram_file_close(&a);
    ram_file_close(&b);
    return status;
}

static int run_extract(const char *name, const char *path, const Options *options)
{
    RamFile file;
    int status = ram_file_open(&file, path, options->base, 0);

    status = status ? status : extract(&file, name, options->output ? options->output : "-");
    ram_file_close(&file);
    return status;
}

static int wrong(const char *what)
{
    fprintf(stderr, "memtrace ram: %s (memtrace ram --help says more)\n", what);
    return 2;
}

static bool parse_base(const char *text, uint64_t *base)
{
    char *end;

    errno = 0;
    *base = strtoull(text, &end, 0);
    return errno == 0 && end != text && *end == '\0' && *text != '-';
}

static int dispatch(char **arguments, int count, const Options *options)
{
    const char *action = arguments[0];

    if (options->output && strcmp(action, "extract") != 0) {
        return wrong("only extract writes a file (-o)");
    }
    if (options->flags && strcmp(action, "info") != 0) {
        return wrong("only info takes files that were not finished (-u)");
    }
    if (strcmp(action, "info") == 0 || strcmp(action, "verify") == 0) {
        return count < 2 ? wrong("which file?")
                         : run_each(action[0] == 'i' ? ram_info : verify, arguments + 1, count - 1, options);
    }
    if (strcmp(action, "diff") == 0) {
        return count != 3 ? wrong("diff is between two files") : run_diff(arguments + 1, options);
    }
    if (strcmp(action, "extract") == 0) {
        if (count != 3) {
            return wrong("extract what? Give a block and a file");
        }
        if (!options->output && isatty(STDOUT_FILENO)) {
            return wrong("binary is not written to a terminal, give -o OUT");
        }
        return run_extract(arguments[1], arguments[2], options);
    }
    fprintf(stderr, "memtrace ram: '%s' is not one of info, verify, diff, extract\n", action);
    return 2;
}

int cmd_ram(int argc, char **argv)
{
    static const struct option options[] = {
        { "output", required_argument, NULL, 'o' }, { "base", required_argument, NULL, 'b' },
        { "unverified", no_argument, NULL, 'u' }, { "help", no_argument, NULL, 'h' }, { 0 },
    };
    Options chosen = { 0 };
    const struct option_target target = { .command = "memtrace ram", .help = help };
    int option, status;

    while ((option = getopt_long(argc, argv, "o:b:uh", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            chosen.output = optarg;
            break;
        case 'b':
            if (!parse_base(optarg, &chosen.base)) {
                return wrong("--base needs a number of bytes");
            }
            break;
        case 'u':
            chosen.flags |= MAPPED_RAM_UNVERIFIED;
            break;
        default:
            if (!option_shared(option, &target, &status)) {
                return status;
            }
        }
    }
    if (optind == argc) {
        return wrong("what to do with which file?");
    }
    return dispatch(argv + optind, argc - optind, &chosen);
}
