/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "emit/text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "model/access.h"

void emit_literal(FILE *out, const char *text)
{
    fputc('"', out);
    for (const char *c = text; *c; c++) {
        if (*c == '\n') {
            fputs(c[1] ? "\\n\"\n           \"" : "\\n", out);
        } else if (*c == '"' || *c == '\\') {
            fprintf(out, "\\%c", *c);
        } else {
            fputc(*c, out);
        }
    }
    fputc('"', out);
}

void emit_size(FILE *out, wide size)
{
    if (size >> 64) {
        fputs(" size 2^64", out);
    } else {
        fprintf(out, " size 0x%" PRIx64, (uint64_t)size);
    }
}

void emit_place(FILE *out, int region, uint64_t offset)
{
    if (region == OBSERVED_NONE) {
        fprintf(out, " none+0x%" PRIx64, offset);
    } else {
        fprintf(out, " r%d+0x%" PRIx64, region, offset);
    }
}

void emit_section(FILE *out, const struct observed_section *s)
{
    fprintf(out, " 0x%" PRIx64, s->address);
    emit_size(out, s->size);
    emit_place(out, s->region, s->offset);
    fprintf(out, "%s%s", s->readonly ? " readonly" : "", s->nonvolatile ? " nonvolatile" : "");
}

void emit_attrs(FILE *out, unsigned word)
{
    static const char *const names[] = { "unspecified", "secure", "user", "memory", "byte_swap",
                                         "target_tlb_bit0", "target_tlb_bit1", "target_tlb_bit2" };
    const uint32_t attrs = access_attrs(word);
    const char *between = " ";

    if (attrs <= ATTRS_UNSPECIFIED) {
        fputs(attrs ? "MEMTXATTRS_UNSPECIFIED" : "(MemTxAttrs){ 0 }", out);
        return;
    }
    fputs("(MemTxAttrs){", out);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (attrs >> i & 1) {
            fprintf(out, "%s.%s = 1", between, names[i]);
            between = ", ";
        }
    }
    if (attrs >> 8) {
        fprintf(out, "%s.requester_id = %u", between, attrs >> 8);
    }
    fputs(" }", out);
}

void emit_expect(FILE *out, const char *what, char *text)
{
    fprintf(out, "    expect(\"%s\",\n           ", what);
    emit_literal(out, text);
    fputs(");\n", out);
    free(text);
}
