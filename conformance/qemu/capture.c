/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes the texts of conformance/qemu/captures/ anew: every machine of
 * lib/captures.c as it starts, and those of lib/machines.c after a number of changes.
 *
 * Exit status: 0 all written, 1 a machine did not start or a file cannot be written,
 * 2 usage.
 */
#include <stdio.h>
#include <string.h>

#include "qemu/lib/captures.h"
#include "qemu/lib/machines.h"

enum { CHANGES = 40 };

static const char help[] =
    "Usage: qemu.capture FOLDER [NAME...]\n"
    "\n"
    "Start machines, write what `info mtree -D` and `info mtree -f` say to FOLDER/NAME.mtree.\n"
    "NAME is ARCHITECTURE-MACHINE, such as arm-vexpress-a9; default: all of them.\n";

static bool write_capture(const char *folder, const char *name, const char *head, struct qemu *q,
                          const char *tree_command)
{
    char *tree = qemu_human(q, tree_command), *flat = qemu_human(q, "info mtree -f");
    char *version = g_strstrip(qemu_human(q, "info version"));
    char *text = g_strdup_printf("# SPDX-License-Identifier: GPL-2.0-or-later\n# %s\n# QEMU %s\n%s\n%s", head,
                                 version, tree, g_strchomp(flat));
    char *whole = g_strconcat(text, "\n", NULL);
    char *file = g_strconcat(name, ".mtree", NULL), *path = g_build_filename(folder, file, NULL);
    GError *error = NULL;
    bool good = !qemu_trouble(q) && g_file_set_contents(path, whole, -1, &error);

    if (qemu_trouble(q)) {
        fprintf(stderr, "%s: %s\n", name, qemu_trouble(q));
    } else if (error) {
        fprintf(stderr, "%s: %s\n", name, error->message);
        g_error_free(error);
    } else {
        printf("%s: %zu bytes\n", path, strlen(whole));
    }
    g_free(path);
    g_free(file);
    g_free(whole);
    g_free(text);
    g_free(version);
    g_free(flat);
    g_free(tree);
    return good;
}

static bool wanted(const char *name, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return true;
        }
    }
    return argc == 2;
}

static bool capture_start(const char *folder, const struct capture *c, const char *name)
{
    char *path = qemu_find(c->architecture);
    char *head = g_strdup_printf("qemu-system-%s %s", c->architecture, c->arguments);
    bool good = false;

    if (path) {
        struct qemu *q = qemu_start(path, c->arguments);

        good = write_capture(folder, name, head, q, "info mtree -D");
        qemu_stop(q);
    } else {
        fprintf(stderr, "%s: qemu-system-%s is not installed\n", name, c->architecture);
    }
    g_free(head);
    g_free(path);
    return good;
}

/* With owners: they tell which of several bridges a window belongs to. */
static bool capture_changed(const char *folder, const struct machine *m, const char *name)
{
    char *path = qemu_find("x86_64");
    char *head = g_strdup_printf("qemu-system-x86_64 %s: after %d random changes", m->arguments, CHANGES);
    bool good = false;

    if (path) {
        struct qemu *q = qemu_start(path, m->arguments);
        struct changer c;

        changer_start(&c, m, q, 1);
        for (int i = 0; i < CHANGES; i++) {
            changer_step(&c);
        }
        good = write_capture(folder, name, head, q, "info mtree -o -D");
        changer_end(&c);
        qemu_stop(q);
    } else {
        fprintf(stderr, "%s: qemu-system-x86_64 is not installed\n", name);
    }
    g_free(head);
    g_free(path);
    return good;
}

int main(int argc, char **argv)
{
    size_t done = 0, failed = 0;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        return 0;
    }
    if (argc < 2 || argv[1][0] == '-') {
        fputs(help, stderr);
        return 2;
    }
    if (!g_file_test(argv[1], G_FILE_TEST_IS_DIR)) {    /* before any machine is started */
        fprintf(stderr, "qemu.capture: %s: no such folder\n", argv[1]);
        return 2;
    }
    for (size_t i = 0; i < capture_count; i++) {
        char *name = g_strdup_printf("%s-%s", captures[i].architecture, captures[i].name);

        if (wanted(name, argc, argv)) {
            *(capture_start(argv[1], &captures[i], name) ? &done : &failed) += 1;
        }
        g_free(name);
    }
    for (size_t i = 0; i < machine_count; i++) {
        char *name = g_strdup_printf("x86_64-%s-changed", machines[i].name);

        if (machines[i].chipset != CHIPSET_NONE && wanted(name, argc, argv)) {
            *(capture_changed(argv[1], &machines[i], name) ? &done : &failed) += 1;
        }
        g_free(name);
    }
    printf("%zu written, %zu failed\n", done, failed);
    if (done + failed == 0) {
        fprintf(stderr, "qemu.capture: no machine of that name\n");
        return 2;
    }
    return failed ? 1 : 0;
}
