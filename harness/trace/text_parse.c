/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text form.  A line is cut into words first; the operation's pattern then
 * says what each must be.  The text is not trusted: any bytes, no final NUL.
 */
#include <glib.h>
#include <string.h>

#include "trace/operand.h"
#include "trace/spelling.h"
#include "trace/table.h"

/* What is left of a line: words are taken off the front. */
struct line {
    const char *start;      /* column 1 */
    const char *at;
    const char *end;        /* without comment, blanks at the end and line break */
};

struct word {
    const char *text;       /* NULL: the line has no more */
    size_t length;
    unsigned column;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool __attribute__((format(printf, 3, 4)))
fail(struct trace_error *error, unsigned column, const char *format, ...)
{
    va_list arguments;

    error->column = column;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
    return false;
}

/* Only blanks, printable ASCII, and in comments UTF-8. */
static bool check_bytes(const char *start, size_t length, struct trace_error *error)
{
    const char *end = start + length;
    const char *comment = memchr(start, '#', length);
    const char *valid_end;

    for (const char *p = start; p < end; p++) {
        unsigned char byte = (unsigned char)*p;

        if ((byte < ' ' && byte != '\t') || byte == 0x7f || (byte > 0x7f && (!comment || p < comment))) {
            return fail(error, (unsigned)(p - start) + 1, "expected text, not the byte 0x%02x", byte);
        }
    }
    if (comment && !g_utf8_validate(comment, end - comment, &valid_end)) {
        return fail(error, (unsigned)(valid_end - start) + 1, "expected UTF-8 text, not the byte 0x%02x",
                    (unsigned char)*valid_end);
    }
    return true;
}

static void line_start(struct line *line, const char *start, size_t length)
{
    const char *comment = memchr(start, '#', length);
    const char *end = comment ? comment : start + length;

    while (end > start && is_blank(end[-1])) {
        end--;
    }
    *line = (struct line){ start, start, end };
}

static struct word next_word(struct line *line)
{
    struct word word = { 0 };

    while (line->at < line->end && is_blank(*line->at)) {
        line->at++;
    }
    word.column = (unsigned)(line->at - line->start) + 1;
    if (line->at < line->end) {
        word.text = line->at;
        while (line->at < line->end && !is_blank(*line->at)) {
            line->at++;
        }
        word.length = (size_t)(line->at - word.text);
    }
    return word;
}

static bool word_is(const struct word *word, const char *other, size_t length)
{
    return word->text && word->length == length && memcmp(word->text, other, length) == 0;
}

static bool parse_literal(const struct word *word, const struct trace_piece *piece, struct trace_error *error)
{
    char quoted[SPELLING_QUOTED];

    if (word_is(word, piece->word, piece->length)) {
        return true;
    }
    if (!word->text) {
        return fail(error, word->column, "expected '%.*s', not the end of the line", (int)piece->length,
                    piece->word);
    }
    return fail(error, word->column, "expected '%.*s', not %s", (int)piece->length, piece->word,
                spelling_quote(quoted, word->text, word->length));
}

static bool parse_operand(const struct word *word, const struct trace_piece *piece, struct trace_step *step,
                          struct trace_error *error)
{
    char expected[100];

    error->column = word->column;
    if (!word->text) {
        operand_describe(piece->type, expected, sizeof(expected));
        return fail(error, word->column, "expected %s, not the end of the line", expected);
    }
    return operand_parse(step, piece->slot, piece->type, word->text, word->length, error);
}

static bool parse_operation(const struct word *word, enum trace_op *op, struct trace_error *error)
{
    struct spelling spelling;
    char quoted[SPELLING_QUOTED];

    *op = trace_op_by_mnemonic(word->text, word->length);
    if (*op != TRACE_OP_COUNT) {
        return true;
    }
    spelling_quote(quoted, word->text, word->length);
    if (word_is(word, "uses", strlen("uses"))) {
        return fail(error, word->column, "'uses' comes before the first operation, once");
    }
    spelling_start(&spelling, word->text, word->length);
    for (enum trace_op candidate = 0; candidate < TRACE_OP_COUNT; candidate++) {
        spelling_try(&spelling, trace_op_table[candidate].mnemonic);
    }
    if (spelling_nearest(&spelling)) {
        return fail(error, word->column, "unknown operation %s; did you mean '%s'?", quoted,
                    spelling_nearest(&spelling));
    }
    return fail(error, word->column, "expected an operation, not %s", quoted);
}

static bool parse_step(struct line *line, struct word word, struct trace_step *step,
                       struct trace_error *error)
{
    const struct trace_piece *pieces;
    size_t count;
    enum trace_op op;
    char quoted[SPELLING_QUOTED];

    if (!parse_operation(&word, &op, error)) {
        return false;
    }
    *step = (struct trace_step){ .op = (uint8_t)op, .line = error->line };
    pieces = trace_pattern_of(op, &count);
    for (size_t i = 0; i < count; i++) {
        word = next_word(line);
        if (!(pieces[i].word ? parse_literal(&word, &pieces[i], error)
                             : parse_operand(&word, &pieces[i], step, error))) {
            return false;
        }
    }
    word = next_word(line);
    if (word.text) {
        return fail(error, word.column, "expected the end of the line, not %s",
                    spelling_quote(quoted, word.text, word.length));
    }
    return true;
}

static bool parse_group(const struct word *word, uint32_t *groups, struct trace_error *error)
{
    struct spelling spelling;
    char quoted[SPELLING_QUOTED];

    spelling_start(&spelling, word->text, word->length);
    for (enum trace_group group = 0; group < TRACE_GROUP_COUNT; group++) {
        if (word_is(word, trace_group_names[group], strlen(trace_group_names[group]))) {
            *groups |= TRACE_GROUP_BIT(group);
            return true;
        }
        spelling_try(&spelling, trace_group_names[group]);
    }
    spelling_quote(quoted, word->text, word->length);
    if (spelling_nearest(&spelling)) {
        return fail(error, word->column, "unknown group %s; did you mean '%s'?", quoted,
                    spelling_nearest(&spelling));
    }
    return fail(error, word->column, "expected a group of operations such as listener, not %s", quoted);
}

/* The line after "uses". */
static bool parse_uses(struct line *line, uint32_t *groups, struct trace_error *error)
{
    struct word word = next_word(line);

    if (!word.text) {
        return fail(error, word.column,
                    "expected a group of operations such as listener, not the end of the line");
    }
    for (; word.text; word = next_word(line)) {
        if (!parse_group(&word, groups, error)) {
            return false;
        }
    }
    return true;
}

/* One line of the text; `*begun` once a line has said something. */
static bool parse_line(struct trace *t, const char *start, size_t length, bool *begun,
                       struct trace_error *error)
{
    struct line line;
    struct word word;
    struct trace_step step;

    if (length > 0 && start[length - 1] == '\r') {
        length--;   /* files edited where lines end in CR LF */
    }
    if (!check_bytes(start, length, error)) {
        return false;
    }
    line_start(&line, start, length);
    word = next_word(&line);
    if (!word.text) {
        return true;
    }
    if (!*begun && word_is(&word, "uses", strlen("uses"))) {
        *begun = true;
        return parse_uses(&line, &t->groups, error);
    }
    *begun = true;
    if (!parse_step(&line, word, &step, error)) {
        return false;
    }
    if (t->count == TRACE_STEPS_MAX) {
        return fail(error, word.column, "expected the end: a trace has at most %d operations",
                    TRACE_STEPS_MAX);
    }
    trace_append(t, &step);
    return true;
}

bool trace_parse(struct trace *t, const char *text, size_t size, struct trace_error *error)
{
    bool begun = false;

    t->groups = TRACE_GROUP_BIT(TRACE_GROUP_TREE);
    t->count = 0;
    *error = (struct trace_error){ 0 };
    while (size > 0) {
        const char *line_break = memchr(text, '\n', size);
        size_t length = line_break ? (size_t)(line_break - text) : size;
        size_t taken = line_break ? length + 1 : length;

        error->line++;
        if (!parse_line(t, text, length, &begun, error)) {
            t->groups = TRACE_GROUP_BIT(TRACE_GROUP_TREE);
            t->count = 0;
            return false;
        }
        text += taken;
        size -= taken;
    }
    *error = (struct trace_error){ 0 };
    return true;
}
