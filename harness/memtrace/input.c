/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memtrace/input.h"

#include <glib.h>
#include <string.h>

#include "trace/load.h"
#include "trace/table.h"

/* False after one line on stderr: too little for a trace. */
static bool has_enough(const struct input *in, const char *path, unsigned flags)
{
    if (in->size == 0) {
        fprintf(stderr, "%s: no steps: the file is empty\n", load_name(path));
    } else if (in->trace.count == 0 && in->binary && !(flags & INPUT_ANY_SIZE)) {
        fprintf(stderr, "%s: no steps: not text, and in binary the first ends at byte %d, the file at %zu\n",
                load_name(path), TRACE_HEADER_SIZE + TRACE_RECORD_SIZE, in->size);
    } else if (in->trace.count == 0 && !in->binary && flags & INPUT_NEEDS_STEPS) {
        fprintf(stderr, "%s: no steps: it has only comments and blank lines, or \"uses\"\n", load_name(path));
    } else {
        return true;
    }
    return false;
}

bool input_load(struct input *in, const char *path, unsigned flags)
{
    enum trace_form form = flags & INPUT_BINARY ? TRACE_FORM_BINARY : TRACE_FORM_GUESS;
    bool loaded;

    *in = (struct input){ 0 };
    trace_init(&in->trace);
    loaded = trace_read_file(path, &in->data, &in->size) &&
             trace_from_file(&in->trace, path, in->data, in->size, &form);
    in->binary = form == TRACE_FORM_BINARY;
    if (!loaded || !has_enough(in, path, flags)) {
        input_free(in);
        return false;
    }
    return true;
}

void input_free(struct input *in)
{
    trace_free(&in->trace);
    g_free(in->data);
    in->data = NULL;
}

const char *input_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}
