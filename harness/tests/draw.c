/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures of memory maps: well-formed, everything inside, everything named, red where views differ. */
#include "draw/draw.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "draw/canvas.h"
#include "draw/scale.h"
#include "run/resolve.h"
#include "trace_random.h"

/* --- a model in some state ------------------------------------------------- */

static struct model *model_after(const struct trace *t)
{
    struct model *m = model_new(MODEL_PROFILE_MEMCORE);
    struct observation observation = { 0 };
    struct resolver resolver = { 0 };

    resolver_reset(&resolver, m, &resolve_limits_fuzz);
    for (size_t i = 0; i < t->count; i++) {
        struct trace_step step;
        const char *reason;

        if (resolve_step(&resolver, &t->steps[i], &step, &reason)) {
            observation_clear(&observation);
            model_apply(m, &step, &observation);
            resolver_played(&resolver, &step);
        }
    }
    observation_free(&observation);
    return m;
}

static struct model *model_of(const char *text)
{
    struct trace_error error;
    struct trace t;
    struct model *m;

    trace_init(&t);
    if (!trace_parse(&t, text, strlen(text), &error)) {
        g_error("%u:%u: %s", error.line, error.column, error.message);
    }
    m = model_after(&t);
    trace_free(&t);
    return m;
}

/* --- reading a picture ----------------------------------------------------- */

struct box {
    int x, y, width, height;    /* width 0: not drawn */
};

struct picture {
    char *svg;
    int width, height;
    unsigned hatched, splits, ranges, gaps;
    int hatched_height;
    struct box boxes[TRACE_REGIONS];
    int boxed;                  /* the region that the next rectangle is the box of, or -1 */
    GPtrArray *texts;
    bool in_text, in_tooltip;
};

static int number_of(const char **names, const char **values, const char *name)
{
    for (; *names; names++, values++) {
        if (strcmp(*names, name) == 0) {
            char *end;
            long number = strtol(*values, &end, 10);

            g_assert_true(*end == '\0');
            return (int)number;
        }
    }
    return 0;
}

static const char *style_of(const char **names, const char **values)
{
    for (; *names; names++, values++) {
        if (strcmp(*names, "class") == 0) {
            return *values;
        }
    }
    return "";
}

static void on_start(GMarkupParseContext *context, const char *element, const char **names,
                     const char **values, gpointer opaque, GError **error)
{
    struct picture *p = opaque;
    const char *style = style_of(names, values);

    (void)context;
    (void)error;
    p->in_text = strcmp(element, "text") == 0;
    p->in_tooltip = strcmp(element, "title") == 0;
    if (strcmp(element, "svg") == 0) {
        p->width = number_of(names, values, "width");
        p->height = number_of(names, values, "height");
        g_assert_cmpint(p->width, >, 100);
        g_assert_cmpint(p->height, >, 100);
    } else if (strcmp(element, "rect") == 0 && *style) {
        int x = number_of(names, values, "x"), y = number_of(names, values, "y");
        int width = number_of(names, values, "width"), height = number_of(names, values, "height");

        g_assert_cmpint(x, >=, 0);
        g_assert_cmpint(y, >=, 0);
        g_assert_cmpint(width, >, 0);
        g_assert_cmpint(height, >, 0);
        g_assert_cmpint(x + width, <=, p->width);
        g_assert_cmpint(y + height, <=, p->height);
        if (strcmp(style, "hatch") == 0) {
            p->hatched++;
            p->hatched_height += height;
        }
        if (p->boxed >= 0) {
            p->boxes[p->boxed] = (struct box){ x, y, width, height };
            p->boxed = -1;
        }
        p->ranges += strcmp(style, "range") == 0;
        p->gaps += strcmp(style, "gap") == 0;
    } else if (strcmp(element, "line") == 0) {
        p->splits += strcmp(style, "split") == 0;
    } else if (p->in_text) {
        g_assert_cmpint(number_of(names, values, "x"), <, p->width);
        g_assert_cmpint(number_of(names, values, "y"), <, p->height);
        g_assert_cmpint(number_of(names, values, "x"), >, 0);
        g_assert_cmpint(number_of(names, values, "y"), >, 0);
    }
}

static void on_text(GMarkupParseContext *context, const char *text, gsize length, gpointer opaque,
                    GError **error)
{
    struct picture *p = opaque;

    (void)context;
    (void)error;
    if (p->in_text) {
        g_ptr_array_add(p->texts, g_strndup(text, length));
        p->in_text = false;
    }
    if (p->in_tooltip && length > 1 && text[0] == 'r') {    /* "r3: container" */
        p->boxed = atoi(text + 1);
        g_assert_cmpint(p->boxed, <, TRACE_REGIONS);
        p->in_tooltip = false;
    }
}

static void read_picture(struct picture *p, const struct model *m,
                         const struct view *const core[TRACE_SPACES], const char *title)
{
    static const GMarkupParser parser = { .start_element = on_start, .text = on_text };
    GMarkupParseContext *context;
    GError *error = NULL;
    size_t size;
    FILE *out;

    *p = (struct picture){ .boxed = -1, .texts = g_ptr_array_new_with_free_func(g_free) };
    out = open_memstream(&p->svg, &size);
    g_assert_nonnull(out);
    draw_svg(out, m, core, &(struct draw_options){ .title = title, .subtitle = "subtitle" });
    fclose(out);
    context = g_markup_parse_context_new(&parser, 0, p, NULL);
    if (!g_markup_parse_context_parse(context, p->svg, (gssize)size, &error) ||
        !g_markup_parse_context_end_parse(context, &error)) {
        g_error("%s in:\n%s", error->message, p->svg);
    }
    g_markup_parse_context_free(context);
}

static void picture_free(struct picture *p)
{
    free(p->svg);
    g_ptr_array_unref(p->texts);
}

static unsigned texts_that_say(const struct picture *p, const char *text)
{
    unsigned count = 0;

    for (guint i = 0; i < p->texts->len; i++) {
        count += strcmp(g_ptr_array_index(p->texts, i), text) == 0;
    }
    return count;
}

static void assert_says(const struct picture *p, const char *text, unsigned times)
{
    if (texts_that_say(p, text) != times) {
        g_error("\"%s\": %u times, not %u", text, texts_that_say(p, text), times);
    }
}

static bool inside(const struct box *inner, const struct box *outer)
{
    return inner->x > outer->x && inner->y > outer->y && inner->x + inner->width < outer->x + outer->width &&
           inner->y + inner->height < outer->y + outer->height;
}

/* Each region's box lies in its container's, the first sibling on top, and no two overlap. */
static void assert_nesting(const struct picture *p, const struct model *m)
{
    const uint16_t *slots;
    size_t count = model_regions(m, &slots);

    for (size_t i = 0; i < count; i++) {
        const struct box *box = &p->boxes[slots[i]];
        struct model_region region;
        int below = box->y;

        g_assert_true(model_region(m, slots[i], &region));
        g_assert_cmpint(box->width, >, 100);
        for (size_t k = 0; k < region.children; k++) {
            const struct box *child = &p->boxes[model_child(m, slots[i], k)];

            g_assert_true(inside(child, box));
            g_assert_cmpint(child->y, >, below);
            below = child->y + child->height;
        }
        for (size_t k = 0; k < i && region.container == OBSERVED_NONE; k++) {
            const struct box *other = &p->boxes[slots[k]];

            g_assert_true(inside(other, box) || other->y > box->y + box->height ||
                          other->y + other->height < box->y);
        }
    }
}

/* The core's views as copies of the model's, to be changed. */
struct core {
    struct view views[TRACE_SPACES];
    const struct view *list[TRACE_SPACES];
};

static void core_copy(struct core *core, const struct model *m)
{
    const uint16_t *spaces;
    size_t count = model_spaces(m, &spaces);

    memset(core, 0, sizeof(*core));
    for (size_t i = 0; i < count; i++) {
        const struct view *view = model_view(m, spaces[i]);
        struct view *copy = &core->views[spaces[i]];

        *copy = *view;
        copy->ranges = g_new0(struct view_range, view->count + 2);
        for (size_t k = 0; k < view->count; k++) {
            copy->ranges[k] = view->ranges[k];
        }
        core->list[spaces[i]] = copy;
    }
}

static void core_free(struct core *core)
{
    for (size_t i = 0; i < TRACE_SPACES; i++) {
        g_free(core->views[i].ranges);
    }
}

/* --- tests ----------------------------------------------------------------- */

/*  as0: r1 [0x1000,0x3000)  r2 [0x4000,0x5000)  r1+0x800 [0x8000,0x8800)  */
static const char three_ranges[] =
    "container r0 size 2^64 owner none named plain\n"
    "space as0 root r0 bare\n"
    "ram r1 size 0x2000 owner none kind rom\n"
    "io r2 size 0x1000 owner none named plain endian native\n"
    "alias r3 of r1 offset 0x800 size 0x800 owner none named plain\n"
    "add r0 r1 at 0x1000 priority 0\n"
    "add r0 r2 at 0x4000 priority 7\n"
    "add r0 r3 at 0x8000 priority -1\n"
    "container r4 size 0x10 owner none named unnamed\n"
    "enabled r4 off\n";

static void test_boxes_and_ranges(void)
{
    struct model *m = model_of(three_ranges);
    const struct view *core[TRACE_SPACES] = { NULL };
    struct picture p;

    read_picture(&p, m, core, "title");
    assert_says(&p, "title", 1);
    assert_says(&p, "subtitle", 1);
    for (unsigned slot = 0; slot < 5; slot++) {
        char name[8];

        g_snprintf(name, sizeof(name), "r%u", slot);
        assert_says(&p, name, 1);
    }
    assert_nesting(&p, m);
    assert_says(&p, "root of as0", 1);
    assert_says(&p, "container", 2);                /* r0, and the legend */
    assert_says(&p, "container, unnamed", 1);
    assert_says(&p, "alias \xe2\x86\x92 r1 + 0x800", 1);
    assert_says(&p, "at 0x1000 size 0x2000 (8 KiB)", 1);
    assert_says(&p, "priority 7", 1);
    assert_says(&p, "priority -1", 1);
    assert_says(&p, "disabled", 1);
    assert_says(&p, "ro", 1);
    /* the view: three ranges, four gaps (one more gap is the legend's), each edge */
    g_assert_cmpuint(p.ranges, ==, 3);
    g_assert_cmpuint(p.gaps, ==, 4 + 1);
    assert_says(&p, "r1 + 0x0 ro", 1);
    assert_says(&p, "r2 + 0x0", 1);
    assert_says(&p, "r1 + 0x800 ro", 1);
    assert_says(&p, "0x8800", 1);
    assert_says(&p, "2^64", 1);
    assert_says(&p, "core", 0);
    g_assert_cmpuint(p.hatched, ==, 0);
    picture_free(&p);
    model_free(m);
}

static void test_equal_views(void)
{
    struct model *m = model_of(three_ranges);
    struct picture p;
    struct core core;

    core_copy(&core, m);
    read_picture(&p, m, core.list, "title");
    g_assert_cmpuint(p.ranges, ==, 6);
    g_assert_cmpuint(p.hatched, ==, 1);             /* the legend's sample */
    g_assert_cmpuint(p.splits, ==, 0);
    assert_says(&p, "core", 1);                     /* the head of the column */
    g_assert_null(strstr(p.svg, " difference"));
    picture_free(&p);
    core_free(&core);
    model_free(m);
}

/* Of the pieces that differ, in one column. */
static int differing_height(const struct view *core, const struct model *m)
{
    struct scale scale;
    int height = 0;

    scale_init(&scale, model_view(m, 0), core);
    for (size_t i = 0; i < scale.count; i++) {
        height += scale.pieces[i].differs ? scale.pieces[i].height : 0;
    }
    scale_free(&scale);
    return height;
}

/* One change to the core's view; what is hatched, split and said. */
static void assert_difference(void (*change)(struct view *view), unsigned hatched, unsigned splits,
                              const char *model_says, const char *core_says)
{
    struct model *m = model_of(three_ranges);
    struct picture p;
    struct core core;

    core_copy(&core, m);
    change(&core.views[0]);
    read_picture(&p, m, core.list, "title");
    g_assert_cmpuint(p.hatched, ==, 1 + 2 * hatched);
    g_assert_cmpint(p.hatched_height, ==, 14 + 2 * differing_height(&core.views[0], m));
    g_assert_cmpuint(p.splits, ==, splits);
    assert_says(&p, "model", 1 + hatched);
    assert_says(&p, "core", 1 + hatched);
    g_assert_cmpuint(texts_that_say(&p, model_says), >=, 1);
    g_assert_cmpuint(texts_that_say(&p, core_says), >=, 1);
    g_assert_nonnull(strstr(p.svg, hatched + splits == 1 ? ">1 difference<" : " differences<"));
    picture_free(&p);
    core_free(&core);
    model_free(m);
}

static void lose_range(struct view *view)
{
    view->ranges[1] = view->ranges[2];
    view->count = 2;
}

static void confuse_region(struct view *view)
{
    view->ranges[1].region = 4;
}

static void shift_offset(struct view *view)
{
    view->ranges[2].offset += 0x1000;
}

static void cut_short(struct view *view)
{
    view->ranges[0].size = 0x1800;
}

static void make_up_range(struct view *view)
{
    view->ranges[view->count++] =
        (struct view_range){.address = UINT64_MAX - 0xfff, .size = 0x1000, .region = 2};
}

static void split_range(struct view *view)
{
    view->ranges[3] = view->ranges[2];
    view->ranges[2].size = 0x400;
    view->ranges[3].address += 0x400;
    view->ranges[3].offset += 0x400;
    view->ranges[3].size = 0x400;
    view->count = 4;
}

/* One difference, although the scale is cut in its middle. */
static void confuse_and_split(struct view *view)
{
    view->ranges[3] = view->ranges[2];
    view->ranges[1].region = 4;
    view->ranges[2] = view->ranges[1];
    view->ranges[1].size = 0x800;
    view->ranges[2].address += 0x800;
    view->ranges[2].offset += 0x800;
    view->ranges[2].size = 0x800;
    view->count = 4;
}

static void lose_everything(struct view *view)
{
    view->count = 0;
}

/* Not sorted, overlapping, beyond the end of the space: a broken core must still be drawn. */
static void break_everything(struct view *view)
{
    view->ranges[0].size = (wide)1 << 64;
    view->ranges[1].address = 0;
    view->ranges[1].size = 0;
}

static void test_differences(void)
{
    assert_difference(lose_range, 1, 0, "r2 + 0x0", "nothing");
    assert_difference(confuse_region, 1, 0, "r2 + 0x0", "r4 + 0x0");
    assert_difference(shift_offset, 1, 0, "r1 + 0x800", "r1 + 0x1800");
    assert_difference(cut_short, 1, 0, "r1 + 0x1800", "nothing");
    assert_difference(make_up_range, 1, 0, "nothing", "r2 + 0x0");
    assert_difference(split_range, 0, 1, "r1 + 0x800 ro", "split only in the core");
    assert_difference(confuse_and_split, 1, 0, "r2 + 0x0", "r4 + 0x800");
    assert_difference(lose_everything, 3, 0, "r1 + 0x0", "nothing");
    assert_difference(break_everything, 5, 0, "nothing", "r1 + 0x2000");
}

static void test_flags_are_not_compared(void)
{
    struct model *m = model_of(three_ranges);
    struct picture p;
    struct core core;

    core_copy(&core, m);
    core.views[0].ranges[0].readonly = false;       /* out of the public walk's reach */
    read_picture(&p, m, core.list, "title");
    g_assert_cmpuint(p.hatched, ==, 1);
    picture_free(&p);
    core_free(&core);
    model_free(m);
}

static void test_transaction(void)
{
    static const char text[] =
        "container r0 size 2^64 owner none named plain\n"
        "space as0 root r0 bare\n"
        "io r1 size 0x1000 owner none named plain endian native\n"
        "begin\n"
        "add r0 r1 at 0 priority 0\n";
    struct model *m = model_of(text);
    const struct view *core[TRACE_SPACES] = { NULL };
    struct picture p;

    read_picture(&p, m, core, "title");
    g_assert_nonnull(strstr(p.svg, "Inside a transaction"));
    g_assert_cmpuint(p.ranges, ==, 0);
    picture_free(&p);
    model_free(m);
}

/* However many spaces have one root, its box has room for what says so. */
static void test_root_of_many_spaces(void)
{
    GString *text = g_string_new("container r0 size 2^64 owner none named plain\n");
    const struct view *core[TRACE_SPACES] = { NULL };
    struct picture p;
    struct model *m;

    for (unsigned i = 0; i < TRACE_SPACES; i++) {
        g_string_append_printf(text, "space as%u root r0 bare\n", i);
    }
    m = model_of(text->str);
    read_picture(&p, m, core, "title");
    g_assert_cmpint(TRACE_SPACES, ==, 8);
    assert_says(&p, "root of as0 as1 +6", 1);
    picture_free(&p);
    model_free(m);
    g_string_free(text, TRUE);
}

static void test_hostile_title(void)
{
    struct model *m = model_of("");
    const struct view *core[TRACE_SPACES] = { NULL };
    struct picture p;

    read_picture(&p, m, core, "<script>&\"'\x01\x1b\xff.trace");
    assert_says(&p, "<script>&\"'  \xef\xbf\xbd.trace", 1);
    picture_free(&p);
    model_free(m);
}

/* Whatever a random trace builds: in bounds, the same each time, no red where nothing differs. */
static void test_random(void)
{
    struct trace t;
    unsigned ranges = 0;

    trace_init(&t);
    for (int i = 0; i < 60; i++) {
        struct model *m;
        struct picture first, second;
        const uint16_t *regions;
        struct core core;
        size_t size = TRACE_HEADER_SIZE + (random_32() % 200) * TRACE_RECORD_SIZE;
        uint8_t *data = g_malloc(size);

        random_bytes(data, size);
        data[0] = random_32() % 2 ? 0x03 : 0x3b;
        data[1] = data[2] = data[3] = 0;
        trace_decode(&t, data, size);
        g_free(data);
        m = model_after(&t);
        core_copy(&core, m);
        read_picture(&first, m, core.list, "title");
        read_picture(&second, m, core.list, "title");
        g_assert_cmpstr(first.svg, ==, second.svg);
        g_assert_cmpuint(first.hatched, ==, model_spaces(m, &regions) > 0 ? 1 : 0);
        g_assert_cmpuint(first.splits, ==, 0);
        for (size_t k = model_regions(m, &regions); k-- > 0; ) {
            char name[8];

            g_snprintf(name, sizeof(name), "r%u", regions[k]);
            assert_says(&first, name, 1);
        }
        assert_nesting(&first, m);
        ranges += first.ranges;
        picture_free(&first);
        picture_free(&second);
        core_free(&core);
        model_free(m);
    }
    g_assert_cmpuint(ranges, >, 50);
    trace_free(&t);
}

/* The pieces fill the space without gaps, and each has room for its label. */
static void test_scale(void)
{
    for (int i = 0; i < 200; i++) {
        struct view_range model_ranges[30], core_ranges[30];
        struct view model = { .ranges = model_ranges, .count = random_32() % 30 };
        struct view core = { .ranges = core_ranges, .count = random_32() % 30 };
        struct scale scale;
        wide at = 0;
        int y = 0;

        for (size_t k = 0; k < 30; k++) {
            model_ranges[k] = (struct view_range){ .address = k * 0x1000, .size = 1 + random_32() % 0x1000 };
            core_ranges[k] = (struct view_range){ .address = k * 0x800, .size = 1 + random_32() % 0x800 };
        }
        scale_init(&scale, &model, random_32() % 4 ? &core : NULL);
        for (size_t k = 0; k < scale.count; k++) {
            const struct piece *piece = &scale.pieces[k];

            g_assert_true(piece->start == at);
            g_assert_true(piece->start < piece->end);
            g_assert_cmpint(piece->y, ==, y);
            g_assert_cmpint(piece->height, >=, scale.compact ? 16 : 20);
            g_assert_true(!piece->model || (piece->model->address <= piece->start &&
                                            piece->model->address + piece->model->size >= piece->end));
            at = piece->end;
            y += piece->height;
        }
        g_assert_true(at == (wide)1 << 64);
        g_assert_cmpint(scale.height, ==, y);
        scale_free(&scale);
    }
}

static void test_numbers(void)
{
    char buffer[SIZE_TEXT];

    g_assert_cmpstr(hex_text(buffer, 0), ==, "0x0");
    g_assert_cmpstr(hex_text(buffer, UINT64_MAX), ==, "0xffffffffffffffff");
    g_assert_cmpstr(hex_text(buffer, (wide)1 << 64), ==, "2^64");
    g_assert_cmpstr(hex_text(buffer, ((wide)1 << 64) + 0x10), ==, "0x10000000000000010");
    g_assert_cmpstr(size_text(buffer, 0x3ff), ==, "0x3ff");
    g_assert_cmpstr(size_text(buffer, 0x400), ==, "0x400 (1 KiB)");
    g_assert_cmpstr(size_text(buffer, 0x401), ==, "0x401");
    g_assert_cmpstr(size_text(buffer, 0x300000), ==, "0x300000 (3 MiB)");
    g_assert_cmpstr(size_text(buffer, (wide)1 << 64), ==, "2^64 (16 EiB)");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/draw/boxes-and-ranges", test_boxes_and_ranges);
    g_test_add_func("/draw/equal-views", test_equal_views);
    g_test_add_func("/draw/differences", test_differences);
    g_test_add_func("/draw/flags-are-not-compared", test_flags_are_not_compared);
    g_test_add_func("/draw/transaction", test_transaction);
    g_test_add_func("/draw/root-of-many-spaces", test_root_of_many_spaces);
    g_test_add_func("/draw/hostile-title", test_hostile_title);
    g_test_add_func("/draw/random", test_random);
    g_test_add_func("/draw/scale", test_scale);
    g_test_add_func("/draw/numbers", test_numbers);
    return g_test_run();
}
