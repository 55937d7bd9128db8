/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is there between the steps: views, references, and at the end nothing. */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

#include "run/check.h"
#include "run/subject.h"

/* --- views ---------------------------------------------------------------------- */

static char *print_view(const struct view *view, size_t first_difference, bool flags)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out) {
        abort();
    }
    for (size_t i = 0; i < view->count; i++) {
        struct view_range range = view->ranges[i];
        char line[200];

        if (!flags) {   /* the public walk does not show them: leave them out on both sides */
            range.readonly = range.nonvolatile = range.romd = false;
            range.dirty_log_mask = 0;
        }
        view_range_print(&range, line, sizeof(line));
        fprintf(out, "%s %s\n", i == first_difference ? "  >" : "   ", line);
    }
    if (first_difference >= view->count) {
        fprintf(out, "  > nothing more\n");
    }
    fclose(out);
    return text;
}

static bool same_range(const struct view_range *x, const struct view_range *y)
{
    return x->address == y->address && x->size == y->size && x->region == y->region && x->offset == y->offset;
}

static bool check_view(struct player *p, const struct model *m, unsigned space, struct view *scratch,
                       struct run_failure *failure)
{
    const struct view *model = model_view(m, space);
    char what[32];
    size_t i = 0;

    player_view(p, space, scratch);
    while (i < model->count && i < scratch->count && same_range(&model->ranges[i], &scratch->ranges[i])) {
        i++;
    }
    if (i == model->count && i == scratch->count) {
        return true;
    }
    snprintf(what, sizeof(what), "view of as%u", space);
    check_fail(failure, "R-FV-1", what, "%s", "");
    free(failure->core);
    free(failure->model);
    failure->core = print_view(scratch, i, false);
    failure->model = print_view(model, i, false);
    return false;
}

bool check_views(struct player *p, const struct model *m, struct view *scratch, struct run_failure *failure)
{
    const uint16_t *spaces;
    size_t count = model_spaces(m, &spaces);

    for (size_t i = 0; i < count; i++) {
        const void *object = player_view_identity(p, spaces[i]);

        if (!check_view(p, m, spaces[i], scratch, failure)) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            bool core = object == player_view_identity(p, spaces[k]);
            bool model = model_view(m, spaces[i])->identity == model_view(m, spaces[k])->identity;

            if (core != model) {
                check_fail(failure, "R-FV-11", "sharing of views", "as%u and as%u have %s", spaces[k], spaces[i],
                           core ? "the same FlatView" : "FlatViews of their own");
                check_model_says(failure, "%s", model ? "the same FlatView" : "FlatViews of their own");
                return false;
            }
        }
    }
    return true;
}

/* --- references ----------------------------------------------------------------- */

bool check_references(struct player *p, const struct model *m, struct run_failure *failure)
{
    const uint16_t *owners;
    size_t count = model_owners(m, &owners);
    size_t views = subject_live_views();

    for (size_t i = 0; i < count; i++) {
        unsigned core = player_owner_references(p, owners[i]);
        unsigned model = model_owner_references(m, owners[i]);

        /* R-OBJ-6: another implementation may hold further references in its dispatch structures. */
        if (model_profile(m) == MODEL_PROFILE_MEMCORE ? core != model : core < model) {
            char what[32];

            snprintf(what, sizeof(what), "references of o%u", owners[i]);
            check_fail(failure, "R-OBJ-6", what, "%u", core);
            check_model_says(failure, "%u", model);
            return false;
        }
    }
    if (views != SIZE_MAX && views != model_live_views(m)) {
        check_fail(failure, "R-TX-6", "live flat views", "%zu", views);
        check_model_says(failure, "%zu", model_live_views(m));
        return false;
    }
    return true;
}

unsigned check_open_files(void)
{
    enum { LOOKED_AT = 128 };
    struct pollfd each[LOOKED_AT];
    unsigned count = 0;

    for (int fd = 0; fd < LOOKED_AT; fd++) {
        each[fd] = (struct pollfd){ .fd = fd };
    }
    if (poll(each, LOOKED_AT, 0) < 0) {     /* one call for all: POLLNVAL is said of what is not open */
        perror("harness: cannot count open files");
        abort();
    }
    for (int fd = 0; fd < LOOKED_AT; fd++) {
        count += !(each[fd].revents & POLLNVAL);
    }
    return count;
}

bool check_empty(unsigned open_files, struct run_failure *failure)
{
    const unsigned open_now = open_files ? check_open_files() : 0;
    const char *what = NULL;
    size_t left = 0;

    if (open_now > open_files) {
        what = "files (R-FILE-5)";
        left = open_now - open_files;
    } else if (subject_deferred()) {
        what = "deferred work";
        left = subject_deferred();
    } else if (subject_live_views() != SIZE_MAX && subject_live_views()) {
        what = "flat views";
        left = subject_live_views();
    } else if (subject_live_blocks() != SIZE_MAX && subject_live_blocks()) {
        what = "RAM blocks";
        left = subject_live_blocks();
    }
    if (!what) {
        return true;
    }
    check_fail(failure, "I-16", "left over at the end", "%zu %s", left, what);
    check_model_says(failure, "everything was given back");
    return false;
}
