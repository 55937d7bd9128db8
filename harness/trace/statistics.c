/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/statistics.h"

#include <inttypes.h>
#include <string.h>

#include "trace/table.h"

static void add_values(struct trace_statistics *statistics, const struct trace_step *step)
{
    const struct trace_operand_type *v = trace_operand_of(step->op, TRACE_SLOT_V);
    const struct trace_operand_type *w = trace_operand_of(step->op, TRACE_SLOT_W);

    if (v && v->kind == TRACE_KIND_VALUE) {
        statistics->value_modes[step->v.mode]++;
    }
    if (w && w->kind == TRACE_KIND_VALUE) {
        statistics->value_modes[step->w.mode]++;
    }
}

void trace_statistics_add(struct trace_statistics *statistics, const struct trace *t)
{
    bool occurs[TRACE_OP_COUNT] = { false };

    statistics->traces++;
    statistics->steps += t->count;
    if (t->count > statistics->steps_most) {
        statistics->steps_most = t->count;
    }
    for (size_t i = 0; i < t->count; i++) {
        statistics->op_steps[t->steps[i].op]++;
        occurs[t->steps[i].op] = true;
        add_values(statistics, &t->steps[i]);
    }
    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        statistics->op_traces[op] += occurs[op];
    }
    for (enum trace_group group = 0; group < TRACE_GROUP_COUNT; group++) {
        statistics->group_traces[group] += t->groups >> group & 1;
    }
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

/* Twenty signs for the most frequent operation, at least one for any that occurs. */
static void print_bar(uint64_t part, uint64_t most, FILE *out)
{
    uint64_t signs = most ? (part * 20 + most - 1) / most : 0;

    while (signs-- > 0) {
        fputc('#', out);
    }
}

void trace_statistics_print(const struct trace_statistics *statistics, FILE *out)
{
    static const char *const modes[] = {
        "absolute", "start of a region", "end of a region", "size of a region",
    };
    uint64_t most = 0, values = 0;
    enum trace_group group = TRACE_GROUP_COUNT;

    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        most = statistics->op_steps[op] > most ? statistics->op_steps[op] : most;
    }
    fprintf(out, "%" PRIu64 " traces, %" PRIu64 " steps, longest trace %" PRIu64 " steps\n\n",
            statistics->traces, statistics->steps, statistics->steps_most);
    fprintf(out, "%-12s %-13s %10s %7s %9s\n", "group", "operation", "steps", "", "traces");
    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        const struct trace_op_info *info = &trace_op_table[op];

        fprintf(out, "%-12s %-13s %10" PRIu64 " %6.1f%% %9" PRIu64 "  ",
                info->group == group ? "" : trace_group_names[info->group], info->mnemonic,
                statistics->op_steps[op], percent(statistics->op_steps[op], statistics->steps),
                statistics->op_traces[op]);
        print_bar(statistics->op_steps[op], most, out);
        fputc('\n', out);
        group = info->group;
    }
    for (size_t i = 0; i <= TRACE_VALUE_SIZE; i++) {
        values += statistics->value_modes[i];
    }
    fprintf(out, "\n%-26s %10s\n", "addresses and sizes", "");
    for (size_t i = 0; i <= TRACE_VALUE_SIZE; i++) {
        fprintf(out, "  %-24s %10" PRIu64 " %6.1f%%\n", modes[i], statistics->value_modes[i],
                percent(statistics->value_modes[i], values));
    }
    fprintf(out, "\n%-26s %10s\n", "groups in use", "");
    for (group = 0; group < TRACE_GROUP_COUNT; group++) {
        fprintf(out, "  %-24s %10" PRIu64 " %6.1f%%\n", trace_group_names[group],
                statistics->group_traces[group],
                percent(statistics->group_traces[group], statistics->traces));
    }
}
