/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/misuse.h"
#include "qemu/int128.h"

enum { LINE_MAX_BYTES = 2048 };

/* Copies text, control characters as \xNN, and stops early enough to leave `reserve` bytes. */
static size_t append_printable(char *line, size_t length, size_t reserve, const char *text)
{
    static const char hex[] = "0123456789abcdef";

    for (; *text && length + 4 + reserve <= LINE_MAX_BYTES; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte >= 0x20 && byte != 0x7f) {
            line[length++] = (char)byte;
        } else {
            line[length++] = '\\';
            line[length++] = 'x';
            line[length++] = hex[byte >> 4];
            line[length++] = hex[byte & 15];
        }
    }
    return length;
}

/* One write, so that lines of several threads do not mix; the process dies next, failures change nothing. */
static void write_line(const char *line, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, line, length);

        if (written <= 0) {
            return;
        }
        line += written;
        length -= (size_t)written;
    }
}

void memcore_misuse_at(const char *function, const char *rule, const char *format, ...)
{
    enum { RULE_RESERVE = 64 };
    char text[LINE_MAX_BYTES];
    char line[LINE_MAX_BYTES];
    size_t length = 0;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);

    length = append_printable(line, length, RULE_RESERVE, "memcore: ");
    length = append_printable(line, length, RULE_RESERVE, function);
    length = append_printable(line, length, RULE_RESERVE, ": ");
    length = append_printable(line, length, RULE_RESERVE, text);
    length = append_printable(line, length, 8, " (");
    length = append_printable(line, length, 8, rule);
    length = append_printable(line, length, 1, ")");
    line[length++] = '\n';
    fflush(NULL);
    write_line(line, length);
    abort();
}

void memcore_assertion_failed(const char *condition, const char *file, int line, const char *function)
{
    char text[LINE_MAX_BYTES];
    int length = snprintf(text, sizeof(text), "memcore: %s:%d: %s: assertion failed: %s\n", file, line,
                          function, condition);

    fflush(NULL);
    if (length > 0) {
        write_line(text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
    }
    abort();
}

void int128_get64_failed(Int128 value)
{
    memcore_misuse_at("int128_get64", "qemu/int128.h", "0x%llx%016llx does not fit into 64 bits",
                      (unsigned long long)int128_gethi(value), (unsigned long long)int128_getlo(value));
}
