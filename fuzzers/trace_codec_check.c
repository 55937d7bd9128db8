/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace_codec_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_TARGET "trace_codec"
#include "run/fuzz_check.h"
#include "target.h"

void codec_check_begin(void)
{
    fuzz_hash_begin();
}

static void check_steps(const struct trace *t)
{
    for (size_t i = 0; i < t->count; i++) {
        struct trace one = { .groups = t->groups, .count = 1, .steps = &t->steps[i] }, again;
        struct trace_step copy = t->steps[i];
        struct trace_error error;
        trace_step_canonicalize(&copy);
        again = (struct trace){ .groups = t->groups, .count = 1, .steps = &copy };
        REQUIRE(trace_equal(&one, &again), "a step is not canonical");

        size_t length = trace_print_step(&t->steps[i], NULL, 0);
        char *line = malloc(length + 1), *cut = malloc(length);
        REQUIRE(line && cut && length > 0, "a step prints as nothing");
        REQUIRE(trace_print_step(&t->steps[i], line, length + 1) == length && strlen(line) == length &&
                !strchr(line, '\n'), "a step's text is not one line of the length told");
        REQUIRE(trace_print_step(&t->steps[i], cut, length) == length && strlen(cut) == length - 1 &&
                !memcmp(line, cut, length - 1), "a short buffer does not get the start of the text");
        trace_init(&again);
        REQUIRE(trace_parse(&again, line, length, &error), "a printed step does not parse");
        one.groups = again.groups;      /* one line knows its own group only */
        REQUIRE(trace_equal(&one, &again), "a printed step parses to another");
        trace_free(&again);
        free(line);
        free(cut);
    }
}

void codec_check_trace(const struct trace *t)
{
    struct trace again;
    struct trace_error error;
    char *text = NULL;
    size_t length = 0, size = trace_encode(t, NULL, 0);
    uint8_t *bytes = malloc(size), *twice = malloc(size);

    REQUIRE(bytes && twice, "out of memory");
    REQUIRE(size == TRACE_HEADER_SIZE + t->count * TRACE_RECORD_SIZE, "a wrong encoded size");
    REQUIRE(trace_encode(t, bytes, size) == size, "the encoded size changes");
    trace_init(&again);
    trace_decode(&again, bytes, size);
    REQUIRE(trace_equal(t, &again), "decode(encode(t)) is not t");
    REQUIRE(trace_encode(&again, twice, size) == size && !memcmp(bytes, twice, size), "encoding is no fixed point");
    fuzz_hash_bytes(bytes, size);

    FILE *out = open_memstream(&text, &length);
    REQUIRE(out, "out of memory");
    trace_print(t, out);
    fclose(out);
    if (!trace_parse(&again, text, length, &error)) {
        fprintf(stderr, "trace_codec: a printed trace does not parse, %u:%u: %s\n%s", error.line, error.column,
                error.message, text);
        abort();
    }
    REQUIRE(trace_equal(t, &again), "parse(print(t)) is not t");
    fuzz_hash_bytes(text, length);
    check_steps(t);
    trace_free(&again);
    free(text);
    free(bytes);
    free(twice);
}

void codec_check_error(const struct trace *t, const char *text, size_t size, const struct trace_error *error)
{
    unsigned lines = 1;
    size_t length = 0;      /* of the line that the error names */
    for (size_t i = 0; i < size; i++) {
        lines += text[i] == '\n';
        length += lines == error->line && text[i] != '\n';
    }
    REQUIRE(t->count == 0, "a broken text leaves steps behind");
    REQUIRE(error->line >= 1 && error->line <= lines, "an error's line is not in the text");
    REQUIRE(error->column >= 1 && error->column <= length + 1, "an error's column is not in the line");
    REQUIRE(memchr(error->message, 0, sizeof(error->message)) && error->message[0] &&
            !strpbrk(error->message, "\r\n"), "an error's message is not one line");
    fuzz_hash_bytes(error->message, strlen(error->message));
}
