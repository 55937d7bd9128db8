/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "draw/canvas.h"

#include <inttypes.h>
#include <string.h>

enum { MARGIN = 28 };

#define SANS "'Inter','Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
#define MONO "'DejaVu Sans Mono','JetBrains Mono',Menlo,Consolas,monospace"

/* Widths are reckoned for the fixed-width font: whatever must fit is written in it. */
static const char style_sheet[] =
    "text{font-family:" MONO ";font-size:11px;fill:#1f2937;pointer-events:none}\n"
    ".title{font:600 19px " SANS ";fill:#111827}\n"
    ".subtitle,.note{font:12px " SANS ";fill:#4b5563}\n"
    ".heading{font:600 14px " SANS ";fill:#111827}\n"
    ".head{font:600 12px " SANS ";fill:#374151;text-anchor:middle}\n"
    ".name{font-weight:600;font-size:12px}\n"
    ".fine{font-size:10.5px;fill:#4b5563}\n"
    ".address{font-size:10.5px;fill:#374151;text-anchor:end}\n"
    ".end{text-anchor:end}\n"
    ".middle{text-anchor:middle}\n"
    ".nothing{font-size:10.5px;fill:#6b7280;text-anchor:middle}\n"
    ".halo{paint-order:stroke;stroke:#fff;stroke-width:3.5px;stroke-linejoin:round}\n"
    ".wrong{fill:#b91c1c;font-size:10.5px}\n"
    ".wrong-name{fill:#b91c1c;font-weight:600;font-size:10.5px}\n"
    ".paper{fill:#ffffff}\n"
    ".container{fill:#f8fafc;stroke:#94a3b8;stroke-width:1.2}\n"
    ".alias{fill:#ffffff;stroke:#64748b;stroke-width:1.2;stroke-dasharray:5 3}\n"
    ".region{stroke-width:1.2}\n"
    ".range{stroke-width:1}\n"
    ".gap{fill:#f9fafb;stroke:#d1d5db;stroke-width:1}\n"
    ".frame{fill:none;stroke:#6b7280;stroke-width:1.2}\n"
    ".hatch{fill:url(#hatch);stroke:#dc2626;stroke-width:2}\n"
    ".callout{fill:#fef2f2;stroke:#fca5a5;stroke-width:1}\n"
    ".tick{stroke:#9ca3af;stroke-width:1}\n"
    ".split{stroke:#dc2626;stroke-width:2;stroke-dasharray:4 3}\n"
    ".lead{stroke:#fca5a5;stroke-width:1}\n"
    ".chip{fill:#ffffff;stroke:#cbd5e1}\n"
    ".chip-text{font-size:9.5px;fill:#475569;text-anchor:middle}\n"
    ".space{fill:#1e293b}\n"
    ".space-text{font-size:9.5px;fill:#ffffff;text-anchor:middle}\n"
    ".off{fill:#e5e7eb;stroke:#9ca3af}\n"
    ".off-text{font-size:9.5px;fill:#374151;text-anchor:middle}\n";

void canvas_init(struct canvas *c)
{
    *c = (struct canvas){ .body = g_string_new(NULL) };
}

void canvas_finish(struct canvas *c, FILE *out)
{
    int width = c->right + MARGIN, height = c->bottom + MARGIN;

    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n"
            "<style>\n%s</style>\n"
            "<defs><pattern id=\"hatch\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" "
            "patternTransform=\"rotate(45)\">"
            "<rect width=\"8\" height=\"8\" fill=\"#fecaca\" fill-opacity=\"0.45\"/>"
            "<rect width=\"2.5\" height=\"8\" fill=\"#dc2626\" fill-opacity=\"0.45\"/>"
            "</pattern></defs>\n"
            "<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n",
            width, height, width, height, style_sheet, width, height);
    fputs(c->body->str, out);
    fputs("</svg>\n", out);
    g_string_free(c->body, TRUE);
}

static void reach(struct canvas *c, int x, int y)
{
    c->right = MAX(c->right, x);
    c->bottom = MAX(c->bottom, y);
}

void canvas_rectangle(struct canvas *c, const char *style, int x, int y, int width, int height,
                      const char *attributes)
{
    g_string_append_printf(c->body, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"%s%s/>\n",
                           style, x, y, width, height, attributes ? " " : "", attributes ? attributes : "");
    reach(c, x + width, y + height);
}

void canvas_line(struct canvas *c, const char *style, int x1, int y1, int x2, int y2)
{
    g_string_append_printf(c->body, "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", style,
                           x1, y1, x2, y2);
    reach(c, MAX(x1, x2), MAX(y1, y2));
}

/* XML cannot say most control characters, and readers stop at bytes that are no UTF-8. */
static void append_escaped(GString *body, const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    char *escaped;

    for (char *p = valid; *p; p++) {
        if ((unsigned char)*p < ' ') {
            *p = ' ';
        }
    }
    escaped = g_markup_escape_text(valid, -1);
    g_string_append(body, escaped);
    g_free(escaped);
    g_free(valid);
}

static bool anchored_left(const char *style)
{
    return !strstr(style, "end") && !strstr(style, "middle") && !strstr(style, "-text") &&
           !strstr(style, "address") && !strstr(style, "nothing") && strcmp(style, "head") != 0;
}

void canvas_text(struct canvas *c, const char *style, int x, int y, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_string_append_printf(c->body, "<text class=\"%s\" x=\"%d\" y=\"%d\">", style, x, y);
    append_escaped(c->body, text);
    g_string_append(c->body, "</text>\n");
    if (anchored_left(style)) {
        int font_size = strstr(style, "title") ? (strcmp(style, "title") == 0 ? 19 : 12) : 11;

        reach(c, x + text_width(strlen(text), font_size), y + 3);
    } else {
        reach(c, x, y + 3);
    }
    g_free(text);
}

void canvas_group_begin(struct canvas *c, const char *tooltip, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, tooltip);
    text = g_strdup_vprintf(tooltip, arguments);
    va_end(arguments);
    g_string_append(c->body, "<g><title>");
    append_escaped(c->body, text);
    g_string_append(c->body, "</title>\n");
    g_free(text);
}

void canvas_group_end(struct canvas *c)
{
    g_string_append(c->body, "</g>\n");
}

int canvas_chip(struct canvas *c, const char *style, int right, int y, const char *text)
{
    char text_style[32];
    int width = text_width(strlen(text), 10) + 10;

    snprintf(text_style, sizeof(text_style), "%s-text", style);
    canvas_rectangle(c, style, right - width, y, width, 15, "rx=\"7\"");
    canvas_text(c, text_style, right - width / 2, y + 11, "%s", text);
    return right - width;
}

int text_width(size_t characters, int font_size)
{
    return (int)(characters * (size_t)font_size * 61 / 100) + 1;
}

/* --- colours --------------------------------------------------------------- */

/*
 * Sixteen light fills with their outlines, neighbours far apart in hue, then the
 * same darker.  Red is left out: it means a difference.
 */
struct colour colour_by_number(unsigned i)
{
    static const struct colour colours[] = {
        { "#c2daf5", "#4172aa" }, { "#f5e2c2", "#aa8341" },
        { "#c2f5d7", "#41aa6d" }, { "#ddc2f5", "#7941aa" },
        { "#c2f1f5", "#41a1aa" }, { "#f5f5c2", "#aaaa41" },
        { "#c2c3f5", "#4144aa" }, { "#d7f5c2", "#6daa41" },
        { "#f5d7c2", "#aa6d41" }, { "#c2f5e8", "#41aa90" },
        { "#f5c2f5", "#aa41aa" }, { "#c2e4f5", "#4187aa" },
        { "#f5ebc2", "#aa9541" }, { "#cec2f5", "#5b41aa" },
        { "#c2f5c2", "#41aa41" }, { "#e4f5c2", "#87aa41" },
        { "#8dbaec", "#325985" }, { "#ecc98d", "#856732" },
        { "#8decb5", "#328555" }, { "#c08dec", "#5f3285" },
        { "#8de4ec", "#327e85" }, { "#ecec8d", "#858532" },
        { "#8d90ec", "#323585" }, { "#b5ec8d", "#558532" },
        { "#ecb58d", "#855532" }, { "#8decd5", "#328570" },
        { "#ec8dec", "#853285" }, { "#8dcdec", "#326a85" },
        { "#ecd98d", "#857532" }, { "#a58dec", "#473285" },
        { "#8dec8d", "#328532" }, { "#cdec8d", "#6a8532" },
    };

    return colours[i % G_N_ELEMENTS(colours)];
}

/* --- numbers --------------------------------------------------------------- */

const char *hex_text(char *buffer, wide number)
{
    uint64_t high = (uint64_t)(number >> 64), low = (uint64_t)number;

    if (high == 1 && low == 0) {
        g_strlcpy(buffer, "2^64", HEX_TEXT);
    } else if (high) {
        snprintf(buffer, HEX_TEXT, "0x%" PRIx64 "%016" PRIx64, high & 0xffff, low);
    } else {
        snprintf(buffer, HEX_TEXT, "0x%" PRIx64, low);
    }
    return buffer;
}

const char *size_text(char *buffer, wide size)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    char hex[HEX_TEXT];
    size_t unit = 0;
    wide count = size;

    while (count >= 1024 && count % 1024 == 0 && unit + 1 < G_N_ELEMENTS(units)) {
        count /= 1024;
        unit++;
    }
    if (unit > 0 && count < 10000) {
        snprintf(buffer, SIZE_TEXT, "%s (%u %s)", hex_text(hex, size), (unsigned)count, units[unit]);
    } else {
        snprintf(buffer, SIZE_TEXT, "%s", hex_text(hex, size));
    }
    return buffer;
}
