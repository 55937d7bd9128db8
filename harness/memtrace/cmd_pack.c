/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memtrace pack: traces in the binary form, for fuzzing engines.
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memtrace/commands.h"
#include "memtrace/files.h"
#include "memtrace/input.h"
#include "memtrace/option.h"

static const char help[] =
    "Usage: memtrace pack [-o OUT] FILE\n"
    "       memtrace pack -d FOLDER FILE...\n"
    "\n"
    "Write traces (text or binary) in the canonical binary form.\n"
    "\n"
    "  -o, --output OUT     write one trace there (default: standard output, if it\n"
    "                       is no terminal)\n"
    "  -d, --directory DIR  write each trace into this folder, without \".trace\" in\n"
    "                       its name; the folder is made if there is none\n"
    "      --binary         the file is binary, whatever it looks like\n"
    "  -h, --help           this text\n"
    "\n"
    "Nothing is written unless all files could be read.\n"
    "Exit status: 0 written, 2 usage or a file that cannot be read or written.\n"
    "\n"
    "Example: memtrace pack -d corpus corpora/region_tree/seeds/*.trace\n";

static bool write_binary(const struct trace *t, const char *path)
{
    size_t size = trace_encode(t, NULL, 0);
    uint8_t *data;
    FILE *out = output_open(path, "memtrace pack");

    if (!out) {
        return false;
    }
    data = g_malloc(size);
    trace_encode(t, data, size);
    fwrite(data, 1, size, out);
    g_free(data);
    return output_close(out, path, "memtrace pack");
}

/* What a trace is called in the folder. */
static char *packed_path(const char *folder, const char *path)
{
    char *name = g_path_get_basename(path), *whole;

    if (g_str_has_suffix(name, ".trace")) {
        name[strlen(name) - strlen(".trace")] = '\0';
    }
    whole = g_build_filename(folder, name, NULL);
    g_free(name);
    return whole;
}

/* The paths to write to; false if two files would have the same. */
static bool plan(char **packed, char **files, size_t count, const char *folder)
{
    GHashTable *taken = g_hash_table_new(g_str_hash, g_str_equal);
    bool unique = true;

    for (size_t i = 0; i < count; i++) {
        const char *other;

        packed[i] = packed_path(folder, files[i]);
        other = g_hash_table_lookup(taken, packed[i]);
        if (other) {
            fprintf(stderr, "memtrace pack: %s and %s would both become %s\n", other, files[i], packed[i]);
            unique = false;
        }
        g_hash_table_insert(taken, packed[i], files[i]);
    }
    g_hash_table_unref(taken);
    return unique;
}

static bool pack_into_folder(char **files, size_t count, unsigned flags, const char *folder)
{
    char **packed = g_new0(char *, count + 1);
    struct input *inputs = g_new0(struct input, count);
    bool done = plan(packed, files, count, folder);

    for (size_t i = 0; i < count; i++) {
        done = input_load(&inputs[i], files[i], flags) && done;
    }
    if (done && g_mkdir_with_parents(folder, 0777) != 0) {
        fprintf(stderr, "memtrace pack: cannot make the folder %s: %s\n", folder, g_strerror(errno));
        done = false;
    }
    for (size_t i = 0; i < count && done; i++) {
        done = write_binary(&inputs[i].trace, packed[i]);
    }
    for (size_t i = 0; i < count; i++) {
        input_free(&inputs[i]);
    }
    g_free(inputs);
    g_strfreev(packed);
    return done;
}

static bool pack_one(const char *file, unsigned flags, const char *output)
{
    struct input in;
    bool done;

    if (!input_load(&in, file, flags)) {
        return false;
    }
    done = write_binary(&in.trace, output);
    input_free(&in);
    return done;
}

int cmd_pack(int argc, char **argv)
{
    static const struct option options[] = {
        { "output", required_argument, NULL, 'o' }, { "directory", required_argument, NULL, 'd' },
        { "binary", no_argument, NULL, 'B' }, { "help", no_argument, NULL, 'h' }, { 0 },
    };
    const char *output = NULL, *folder = NULL;
    unsigned flags = 0;
    const struct option_target target = { .command = "memtrace pack", .help = help, .input_flags = &flags };
    int option, status;

    while ((option = getopt_long(argc, argv, "o:d:h", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            output = optarg;
            break;
        case 'd':
            folder = optarg;
            break;
        default:
            if (!option_shared(option, &target, &status)) {
                return status;
            }
        }
    }
    if (optind == argc) {
        fprintf(stderr, "memtrace pack: which trace? See memtrace pack --help\n");
        return 2;
    }
    if (folder && output) {
        fprintf(stderr, "memtrace pack: -o OUT is for one file, -d FOLDER for many; not both\n");
        return 2;
    }
    if (folder) {
        return pack_into_folder(argv + optind, (size_t)(argc - optind), flags, folder) ? 0 : 2;
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "memtrace pack: for more than one file give -d FOLDER\n");
        return 2;
    }
    if (!output && isatty(STDOUT_FILENO)) {
        fprintf(stderr, "memtrace pack: binary is not written to a terminal; give -o OUT\n");
        return 2;
    }
    return pack_one(argv[optind], flags, output ? output : "-") ? 0 : 2;
}
