/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main() of the replayers: runs a fuzz target on files, without an engine.
 * Strict, because a replay that silently tests nothing looks like a pass:
 * whatever is named must exist, be readable and, for folders, hold a file.
 *
 * Each input is an exact-size heap copy, so that ASan sees a read of one byte
 * too many.  Empty files are run too.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
uint64_t fuzz_last_hash(void) __attribute__((weak));
extern const char fuzz_plays_traces __attribute__((weak));

/* Larger files are surely not inputs: engines stop at 1 MiB. */
#define INPUT_SIZE_MAX ((size_t)64 << 20)

static struct {
    const char *program;
    unsigned long repeat;       /* runs of each input */
    bool print_hashes, print_times, compare_edges, refuse;
    unsigned long files;
    bool trouble;
} replay = { .repeat = 1 };

static const char usage[] =
    "usage: %1$s [--repeat N [--edges]] [--hashes] [--times] [--refuse] [--] FILE | FOLDER | - ...\n"
    "Runs the fuzz target on each file, on each file below each folder (sorted), and on stdin for `-`.\n"
    "  --repeat N  run each input N times; all runs must do the same\n"
    "  --edges     with --repeat, in a tree built for libFuzzer: all runs must also take the same edges equally often\n"
    "  --hashes    print `HASH  FILE` on stdout: what the input made happen\n"
    "  --times     print `MICROSECONDS  FILE` on stdout: of the quickest run\n"
    "  --refuse    run nothing; each file must be one that is refused: a trace as text, not an input\n"
    "Exit code: 0 all ran; 1 something could not be read, runs differ, or wrong use; else the target stopped the\n"
    "program.\n"
    "Example: %1$s --repeat 2 build/dev/fuzzers/corpora/region_tree\n";

__attribute__((format(printf, 2, 3)))
static void complain(const char *path, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s: %s: ", replay.program, path);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    replay.trouble = true;
}

/*
 * Edges: the counters that libFuzzer-instrumented code carries.  Their start is
 * told before main by constructors of the code, one call a module; a replayer is one module.
 */
static struct {
    uint8_t *counters, *kept;
    const uintptr_t *table;     /* pairs: address, flags; the i-th belongs to the i-th counter */
    size_t count;
} edges;

void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *stop);
void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *stop);
void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t size) __attribute__((weak));

void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *stop)
{
    edges.counters = start;
    edges.count = (size_t)(stop - start);
}

void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *stop)
{
    (void)stop;
    edges.table = start;
}

static void edges_clear(void)
{
    if (edges.count) {
        memset(edges.counters, 0, edges.count);
    }
}

static bool edges_keep(void)
{
    if (!edges.kept) {
        edges.kept = malloc(edges.count);
    }
    if (edges.kept) {
        memcpy(edges.kept, edges.counters, edges.count);
    }
    return edges.kept;
}

static bool edges_compare(const char *path, unsigned long run)
{
    unsigned different = 0;
    for (size_t i = 0; i < edges.count; i++) {
        if (edges.counters[i] != edges.kept[i] && different++ < 10) {
            char where[256] = "?";
            if (edges.table && __sanitizer_symbolize_pc) {
                __sanitizer_symbolize_pc((void *)edges.table[2 * i], "%f %s:%l", where, sizeof(where));
            }
            fprintf(stderr, "  taken %u times in run 1, %u times in run %lu: %s\n", edges.kept[i], edges.counters[i],
                    run, where);
        }
    }
    if (different) {
        complain(path, "run %lu takes other edges (%u of %zu differ): something is kept from run to run", run,
                 different, edges.count);
    }
    return !different;
}

static uint64_t microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void run_input(const char *path, const uint8_t *data, size_t size)
{
    uint64_t first = 0, quickest = UINT64_MAX;
    for (unsigned long i = 0; i < replay.repeat; i++) {
        edges_clear();
        const uint64_t start = microseconds();
        LLVMFuzzerTestOneInput(data, size);
        const uint64_t took = microseconds() - start;
        quickest = took < quickest ? took : quickest;
        uint64_t hash = fuzz_last_hash ? fuzz_last_hash() : 0;
        if (i > 0 && hash != first) {
            complain(path, "run 1 gave hash %016" PRIx64 ", run %lu gave %016" PRIx64 ": not deterministic",
                     first, i + 1, hash);
            return;
        }
        if (replay.compare_edges && (i == 0 ? !edges_keep() : !edges_compare(path, i + 1))) {
            return;
        }
        first = hash;
    }
    if (replay.print_hashes) {
        printf("%016" PRIx64 "  %s\n", first, path);
    }
    if (replay.print_times) {
        printf("%" PRIu64 "  %s\n", quickest, path);
    }
}

/* Any bytes are an input, so a trace's text would be played as one that nobody wrote, and pass. */
static bool is_trace_text(const char *path, const uint8_t *data, size_t size)
{
    const size_t length = strlen(path);

    return &fuzz_plays_traces && length > 6 && !strcmp(path + length - 6, ".trace") && size > 0 &&
           (isalpha(data[0]) || isspace(data[0]) || data[0] == '#');
}

/* The name comes first: if the target dies, the last line tells on what. */
static void run_stream(const char *path, FILE *in)
{
    fprintf(stderr, "%s: running %s\n", replay.program, path);
    size_t size = 0, capacity = 4096;
    uint8_t *buffer = malloc(capacity);
    for (size_t got; buffer && (got = fread(buffer + size, 1, capacity - size, in)) > 0;) {
        size += got;
        if (size > INPUT_SIZE_MAX) {
            complain(path, "larger than %zu bytes: not a fuzzing input", INPUT_SIZE_MAX);
            free(buffer);
            return;
        }
        if (size == capacity) {
            uint8_t *larger = realloc(buffer, capacity *= 2);
            if (!larger) {
                free(buffer);
            }
            buffer = larger;
        }
    }
    if (!buffer) {
        complain(path, "out of memory");
        return;
    }
    if (ferror(in)) {
        complain(path, "cannot read: %s", strerror(errno));
        free(buffer);
        return;
    }
    const bool text = is_trace_text(path, buffer, size);
    if (text || replay.refuse) {
        if (!text) {
            complain(path, "an input, but with --refuse a trace as text was expected");
        } else if (!replay.refuse) {
            complain(path, "a trace as text, not an input: `memtrace run` plays it, `memtrace pack` makes an input of "
                     "it");
        }
        replay.files += text && replay.refuse;
        free(buffer);
        return;
    }
    uint8_t *exact = malloc(size);
    if (size) {
        memcpy(exact, buffer, size);
    }
    free(buffer);
    run_input(path, exact, size);
    free(exact);
    replay.files++;
}

static int visible(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

static void run_path(const char *path)
{
    struct stat status;
    if (!strcmp(path, "-")) {
        run_stream("stdin", stdin);
        return;
    }
    if (stat(path, &status) < 0) {
        complain(path, "%s", strerror(errno));
        return;
    }
    if (S_ISDIR(status.st_mode)) {
        struct dirent **entries;
        int count = scandir(path, &entries, visible, alphasort);
        if (count < 0) {
            complain(path, "%s", strerror(errno));
            return;
        }
        if (count == 0) {
            complain(path, "the folder is empty: nothing was tested");
        }
        for (int i = 0; i < count; i++) {
            char *below;
            if (asprintf(&below, "%s/%s", path, entries[i]->d_name) >= 0) {
                run_path(below);
                free(below);
            }
            free(entries[i]);
        }
        free(entries);
        return;
    }
    FILE *in = fopen(path, "rb");
    if (!in) {
        complain(path, "%s", strerror(errno));
        return;
    }
    run_stream(path, in);
    fclose(in);
}

int main(int argc, char **argv)
{
    int i = 1;
    replay.program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        if (!strcmp(argv[i], "--")) {
            i++;
            break;
        } else if (!strcmp(argv[i], "--help")) {
            printf(usage, replay.program);
            return 0;
        } else if (!strcmp(argv[i], "--hashes")) {
            replay.print_hashes = true;
        } else if (!strcmp(argv[i], "--times")) {
            replay.print_times = true;
        } else if (!strcmp(argv[i], "--edges")) {
            replay.compare_edges = true;
        } else if (!strcmp(argv[i], "--refuse")) {
            replay.refuse = true;
        } else if (!strcmp(argv[i], "--repeat")) {
            char *end = "";
            replay.repeat = i + 1 < argc ? strtoul(argv[++i], &end, 10) : 0;
            if (*end || replay.repeat < 1 || replay.repeat > 1000000000) {
                fprintf(stderr, "%s: --repeat: a number from 1 to 1000000000 was expected\n", replay.program);
                return 1;
            }
        } else {
            fprintf(stderr, "%s: unknown option %s\n", replay.program, argv[i]);
            fprintf(stderr, usage, replay.program);
            return 1;
        }
    }
    if (i == argc) {
        fprintf(stderr, usage, replay.program);
        return 1;
    }
    if (replay.compare_edges && !edges.count) {
        fprintf(stderr, "%s: --edges: this build counts no edges; use one of the preset libfuzzer\n", replay.program);
        return 1;
    }
    setvbuf(stderr, NULL, _IOLBF, 0);
    if (LLVMFuzzerInitialize) {
        LLVMFuzzerInitialize(&argc, &argv);
    }
    for (; i < argc; i++) {
        run_path(argv[i]);
    }
    if (replay.repeat > 1 && !fuzz_last_hash) {
        fprintf(stderr, "%s: note: this target has no hash, so runs were not compared\n", replay.program);
    }
    fprintf(stderr, "%s: %lu file%s, %s\n", replay.program, replay.files, replay.files == 1 ? "" : "s",
            replay.trouble ? "with trouble (above)" : replay.refuse ? "all refused" : "all ran");
    return replay.trouble;
}
