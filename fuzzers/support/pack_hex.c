/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packs inputs that are written as text (harness/snapshot/hex.h): fuzz_pack_hex FOLDER FILE.hex... */
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "snapshot/hex.h"

/* FOLDER/NAME of a NAME.hex; whether that could be done. */
static bool pack(const char *folder, const char *file)
{
    char *text = NULL, *name = g_path_get_basename(file), *path = NULL;
    GByteArray *bytes = NULL;
    GError *error = NULL;
    unsigned line;
    bool packed = false;

    if (!g_str_has_suffix(name, ".hex")) {
        fprintf(stderr, "fuzz_pack_hex: %s: a name that ends in .hex was expected\n", file);
    } else if (g_file_get_contents(file, &text, NULL, &error)) {
        bytes = hex_parse(text, &line);
        if (bytes) {
            path = g_strdup_printf("%s/%.*s", folder, (int)(strlen(name) - strlen(".hex")), name);
            packed = g_file_set_contents(path, (const gchar *)bytes->data, bytes->len, &error);
        } else {
            fprintf(stderr, "%s:%u: expected two hexadecimal digits, XX*N, \"text\" or # and a comment\n", file, line);
        }
    }
    if (error) {
        fprintf(stderr, "fuzz_pack_hex: %s\n", error->message);
        g_error_free(error);
    }
    if (bytes) {
        g_byte_array_unref(bytes);
    }
    g_free(path);
    g_free(name);
    g_free(text);
    return packed;
}

int main(int argc, char **argv)
{
    bool packed = true;

    if (argc < 3) {
        fprintf(stderr, "usage: %s FOLDER FILE.hex...\n", argv[0]);
        return 2;
    }
    for (int i = 2; i < argc && packed; i++) {
        packed = pack(argv[1], argv[i]);
    }
    return packed ? 0 : 1;
}
