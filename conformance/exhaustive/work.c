/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work.h"

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "run/subject.h"

struct campaign campaign;

double campaign_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool time_is_up(void)
{
    return campaign.seconds >= 0 && campaign_now() - campaign.started >= campaign.seconds;
}

/* ---- the order of trees ---- */

static uint64_t divisor(uint64_t x, uint64_t y)
{
    return y ? divisor(y, x % y) : x;
}

/*
 * Near the golden section, so that the first n geometries lie evenly for every
 * n; without a common divisor, so that all are reached.
 */
static uint64_t stride_of(uint64_t count)
{
    uint64_t stride = (uint64_t)((double)count * 0.6180339887498949) | 1;

    while (divisor(stride, count) != 1) {
        stride += 2;
    }
    return stride;
}

void campaign_number(void)
{
    for (unsigned l = 1; l <= LEVELS; l++) {
        struct level *level = &campaign.level[l];

        level->count = world_structures(l, &level->structures);
        level->stride = g_new(uint64_t, level->count);
        for (size_t s = 0; s < level->count; s++) {
            uint64_t n = level->structures[s].geometries;

            level->stride[s] = stride_of(n);
            level->trees += n;
            level->largest = MAX(level->largest, n);
        }
    }
}

/* Half the trees are dressed; which half has no pattern that place or size would share. */
static bool dressed_by(uint64_t geometry)
{
    return __builtin_popcountll(geometry) & 1;
}

/* ---- playing ---- */

static const struct trace_step *altered;        /* a step that the resolver did not take as it is written */

static void on_step(void *opaque, size_t index, const struct trace_step *written,
                    const struct trace_step *resolved, const struct observation *expected,
                    const struct observation *seen, enum run_outcome outcome)
{
    (void)opaque;
    (void)index;
    (void)expected;
    (void)seen;
    (void)outcome;
    if (!resolved || resolved->a != written->a || resolved->b != written->b || resolved->c != written->c ||
        resolved->n != written->n || resolved->v.absolute != written->v.absolute ||
        resolved->w.absolute != written->w.absolute) {
        altered = written;
    }
}

struct runner *work_start_runner(void)
{
    struct run_options options;

    subject_start();
    run_options_default(&options);
    options.on_step = on_step;
    return runner_new(&options);
}

void work_keep_report(char *report, struct runner *r)
{
    FILE *out = fmemopen(report, REPORT_SIZE, "w");

    run_report(out, r, NULL);
    fclose(out);
}

static bool give_up(struct post *post, struct runner *r)
{
    work_keep_report(post->report, r);
    post->failed = true;
    return false;
}

/* After a change was undone the tree must be what it was: else the numbers of trees and changes lie. */
static uint64_t view_hash(const struct runner *r)
{
    const struct view *view = model_view(runner_model(r), 0);
    uint64_t hash = view->count;

    for (size_t i = 0; i < view->count; i++) {
        const struct view_range *v = &view->ranges[i];
        const uint64_t words[] = {
            v->address, (uint64_t)v->size, (uint64_t)v->region, v->offset,
            v->readonly * 4u + v->nonvolatile * 2u + v->romd,
        };

        for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
            hash = (hash ^ words[k]) * UINT64_C(1099511628211);
        }
    }
    return hash;
}

static void broken(const struct world_case *c, size_t at, const char *what)
{
    char line[256];

    trace_print_step(&c->trace.steps[at], line, sizeof(line));
    fprintf(stderr, "small_world: step %zu, \"%s\": %s\n", at + 1, line, what);
    _exit(EXIT_BROKEN);
}

static bool play(struct post *post, struct runner *r, const struct world_case *c)
{
    uint64_t base = 0;

    runner_begin(r);
    for (size_t i = 0; i < c->trace.count; i++) {
        post->step = i;
        if (i >= c->base && c->group[i] == i) {
            if (i == c->base) {
                base = view_hash(r);
            } else if (view_hash(r) != base) {
                broken(c, i - 1, "does not bring the tree back");
            }
        }
        if (runner_step(r, &c->trace.steps[i]) == RUN_FAILED) {
            return give_up(post, r);
        }
        if (altered) {
            broken(c, i, "is not played as it is written");
        }
    }
    if (view_hash(r) != base) {
        broken(c, c->trace.count - 1, "does not bring the tree back");
    }
    post->steps += c->trace.count;
    post->changes += c->changes;
    if (runner_end(r, NULL) == RUN_FAILED) {
        return give_up(post, r);
    }
    return true;
}

static bool play_tree(struct post *post, struct runner *r, struct world_case *c, unsigned l, size_t s,
                      uint64_t geometry)
{
    for (int dressed = 0; dressed < 2; dressed++) {
        /* One region: both ways. */
        if (l > 1 && dressed != dressed_by(geometry)) {
            continue;
        }
        post->level = l;
        post->structure = s;
        post->geometry = geometry;
        post->dressed = dressed;
        world_case_build(c, &campaign.level[l].structures[s], geometry, dressed);
        alarm(HANG_SECONDS);
        if (!play(post, r, c)) {
            return false;
        }
    }
    post->trees[l]++;
    return true;
}

/* Where a worker is in a level.  One geometry of each structure is played, then the next of each. */
struct cursor {
    uint64_t turn;
    size_t structure;
};

enum next { PLAYED, EXHAUSTED, FAILED };

static enum next play_next(struct post *post, unsigned worker, struct runner *r, struct world_case *c,
                           unsigned l, struct cursor *at)
{
    const struct level *level = &campaign.level[l];
    unsigned __int128 position;

    for (; at->turn < level->largest; at->turn++) {
        for (; at->structure < level->count; at->structure++) {
            const size_t s = at->structure;
            uint64_t n = level->structures[s].geometries;

            if (at->turn >= n || (at->turn + s) % campaign.jobs != worker) {
                continue;
            }
            at->structure++;
            position = (unsigned __int128)at->turn * level->stride[s];
            return play_tree(post, r, c, l, s, (uint64_t)(position % n)) ? PLAYED : FAILED;
        }
        at->structure = 0;
    }
    return EXHAUSTED;
}

/* Levels 1 and 2 first, but not alone: one tree of three regions with every few, for bugs that need three. */
static bool play_all(struct post *post, unsigned worker, struct runner *r, struct world_case *c)
{
    struct cursor cursor[LEVELS + 1] = { { 0, 0 } };
    unsigned small = 1;
    enum next next = PLAYED;

    for (uint64_t count = 1; !time_is_up() && next != FAILED; count++) {
        bool three = small == LEVELS || count % 4 == 0;

        next = play_next(post, worker, r, c, three ? LEVELS : small, &cursor[three ? LEVELS : small]);
        if (next == EXHAUSTED && three && small == LEVELS) {
            return true;
        }
        small += next == EXHAUSTED && !three;
    }
    return next != FAILED;
}

void work(unsigned worker)
{
    struct post *post = &campaign.posts[worker];
    struct runner *r;
    struct world_case c;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    world_case_init(&c);
    r = work_start_runner();
    if (!play_all(post, worker, r, &c)) {
        _exit(EXIT_DIFFERENCE);         /* the core's state is not known to be sound: no destructors */
    }
    runner_free(r);
    world_case_free(&c);
}
