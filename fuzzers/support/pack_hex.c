/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packs inputs that are written as text (harness/snapshot/hex.h): fuzz_pack_hex FOLDER FILE.hex... */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "snapshot/hex.h"

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s FOLDER FILE.hex...\n", argv[0]);
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        char *text, *name = g_path_get_basename(argv[i]), *path;
        GError *error = NULL;
        GByteArray *bytes;
        unsigned line;

        if (!g_file_get_contents(argv[i], &text, NULL, &error)) {
            fprintf(stderr, "%s\n", error->message);
            return 1;
        }
        bytes = hex_parse(text, &line);
        if (!bytes) {
            fprintf(stderr, "%s:%u: expected two hexadecimal digits, XX*N, \"text\" or # and a comment\n", argv[i],
                    line);
            return 1;
        }
        path = g_strdup_printf("%s/%.*s", argv[1], (int)(strlen(name) - strlen(".hex")), name);
        if (!g_file_set_contents(path, (const gchar *)bytes->data, bytes->len, &error)) {
            fprintf(stderr, "%s\n", error->message);
            return 1;
        }
        g_byte_array_unref(bytes);
        g_free(path);
        g_free(name);
        g_free(text);
    }
    return 0;
}
