/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A long fixed walk.  Every listener keeps a shadow of what it was told; after
 * each step the shadows must be what the published views and the lists of the
 * regions say (I-3 to I-7, I-17 to I-19).
 */
#include "walk.h"

#include <string.h>

enum { STEPS = 4000 };

static void shadows_follow_the_views(void)
{
    unsigned cycles = 0;

    walk_new(2026);
    for (int step = 0; step < STEPS && !g_test_failed(); step++) {
        if (walk_below(12) == 0 && walk.depth < 2) {
            memory_region_transaction_begin();
            walk.depth++;
        } else if (walk.depth && walk_below(4) == 0) {
            memory_region_transaction_commit();
            walk.depth--;
        } else {
            walk_step();
        }
        cycles += walk_check_order();
        for (int i = 0; i < WALK_WATCHERS; i++) {
            walk_check_ranges(&walk.watchers[i]);
            walk_check_lists(&walk.watchers[i], walk.depth == 0);
        }
        /* I-4: text_of_view joined late, saw the same (walk_check_ranges), and nobody else heard of it. */
        check_number(walk.events->len, 0);
        if (g_test_failed()) {
            g_printerr("  after step %d\n", step);
        }
        if (step % 64 == 0) {
            memcore_drain();
        }
    }
    check(cycles > STEPS / 8);
    walk_end();
}

/* I-6: the tree, the views and the eventfds at the end, in one text. */
static char *end_state(void)
{
    char *tree = stage_mtree(false, false, false, true);
    GString *text = g_string_new(tree);

    for (int i = 0; i < WALK_SPACES; i++) {
        char *view = text_of_view(walk.spaces[i]);

        g_string_append_printf(text, "%s\n", view);
        g_free(view);
    }
    for (int i = 0; i < WALK_WATCHERS; i++) {
        char *eventfds = walk_text_of_counts(walk.watchers[i].eventfds);

        g_string_append(text, eventfds);
        g_free(eventfds);
    }
    g_free(tree);
    return g_string_free(text, FALSE);
}

static void grouping_does_not_matter(void)
{
    char *apart = NULL;

    for (int together = 0; together < 2; together++) {
        walk_new(6);
        if (together) {
            memory_region_transaction_begin();
        }
        for (int step = 0; step < 300; step++) {
            walk_step();
            if (together && step % 10 == 0) {
                memory_region_transaction_begin();      /* nested and empty */
                memory_region_transaction_commit();
            }
        }
        if (together) {
            walk_check_order();
            memory_region_transaction_commit();
            check_number(walk_check_order(), 1);
            check_text_taken(end_state(), apart);
        } else {
            apart = end_state();
            check(strlen(apart) > 1000);
        }
        walk_end();
    }
    g_free(apart);
}

static void empty_transactions_are_silent(void)
{
    walk_new(66);
    for (int step = 0; step < 50; step++) {
        walk_step();
    }
    walk_check_order();
    memory_region_transaction_begin();
    memory_region_transaction_begin();
    memory_region_transaction_commit();
    memory_region_transaction_commit();
    check_number(walk.events->len, 0);
    walk_end();
}

/* I-7: the same value again is no event at all. */
static void setting_again_is_silent(void)
{
    walk_new(7);
    for (int step = 0; step < 200; step++) {
        walk_step();
        walk_check_order();
        for (int i = WALK_SPACES; i < WALK_REGIONS; i += 5) {
            WalkRegion *r = &walk.regions[i];

            memory_region_set_enabled(r->mr, r->enabled);
            memory_region_set_readonly(r->mr, r->readonly);
            memory_region_set_nonvolatile(r->mr, r->nonvolatile);
            memory_region_set_size(r->mr, r->size);
            memory_region_set_address(r->mr, r->address);
        }
        check_number(walk.events->len, 0);
    }
    walk_end();
}

/* I-7: a forced commit without changes: begin, nops, commit. */
static void forced_commits_say_nop(void)
{
    MemoryRegion *spare = stage_io("spare", 1);
    char *before, *after;

    walk_new(77);
    for (int step = 0; step < 200; step++) {
        walk_step();
        walk_check_order();
        before = end_state();
        memory_region_set_enabled(spare, step % 2);
        for (guint i = 0; i < walk.events->len; i++) {
            const char *text = g_array_index(walk.events, WalkEvent, i).text;

            check(g_str_has_prefix(text, "nop ") || g_str_equal(text, "begin") ||
                  g_str_equal(text, "commit"));
        }
        check_number(walk_check_order(), 1);
        after = end_state();
        check_text(after, before);
        g_free(before);
        g_free(after);
    }
    walk_end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/I-3/regions-shadows-follow-the-views", shadows_follow_the_views);
    conformance_case("/I-6/regions-grouping-does-not-matter", grouping_does_not_matter);
    conformance_case("/I-6/regions-empty-transactions", empty_transactions_are_silent);
    conformance_case("/I-7/regions-setting-again", setting_again_is_silent);
    conformance_case("/I-7/regions-forced-commit", forced_commits_say_nop);
    return g_test_run();
}
