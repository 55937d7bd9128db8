/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Id strings: how migration recognises a block on the other side. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "base/state.h"
#include "exec/memory.h"
#include "hw/qdev-core.h"
#include "ram/ram_block.h"
#include "ram/ram_name.h"

/* id string -> block, for listed blocks that have one; never iterated; under the big lock. */
static GHashTable *names;

/* Cuts silently at the end of idstr (R-RAM-13). */
static void compose(char *idstr, size_t size, const char *name, DeviceState *device)
{
    char *path = device ? qdev_get_dev_path(device) : NULL;

    snprintf(idstr, size, "%s%s%s", path ? path : "", path ? "/" : "", name);
    g_free(path);
}

bool ram_block_name_taken(const char *name, DeviceState *device)
{
    char idstr[sizeof(((RAMBlock *)NULL)->idstr)];

    if (!names || !name) {
        return false;
    }
    compose(idstr, sizeof(idstr), name, device);
    return g_hash_table_contains(names, idstr);
}

static void set_name(const char *function, RAMBlock *block, const char *name, DeviceState *device)
{
    char idstr[sizeof(block->idstr)];

    memcore_require_big_lock_of(function, "R-RAM-14");
    if (!block) {
        memcore_misuse_at(function, "R-RAM-14", "no block (NULL) to name \"%s\"", name ? name : "");
    }
    if (!names) {
        names = g_hash_table_new(g_str_hash, g_str_equal);
    }
    if (!name || !*name) {
        memcore_misuse_at(function, "R-RAM-15", "the block at ram_addr 0x%" PRIx64 " cannot be named \"\"",
                          block->offset);
    }
    if (block->idstr[0]) {
        memcore_misuse_at(function, "R-RAM-14", "the block at ram_addr 0x%" PRIx64 " cannot be named \"%s\": "
                          "it is \"%s\" already", block->offset, name, block->idstr);
    }
    compose(idstr, sizeof(idstr), name, device);
    if (g_hash_table_contains(names, idstr)) {
        memcore_misuse_at(function, "R-RAM-14", "another block has the name \"%s\" already", idstr);
    }
    memcpy(block->idstr, idstr, sizeof(idstr));
    g_hash_table_insert(names, block->idstr, block);
}

void ram_block_name_forget(RAMBlock *block)
{
    if (block->idstr[0]) {
        gboolean known = g_hash_table_remove(names, block->idstr);

        memcore_assert(known);
    }
}

void qemu_ram_set_idstr(RAMBlock *block, const char *name, DeviceState *device)
{
    set_name(__func__, block, name, device);
}

void qemu_ram_unset_idstr(RAMBlock *block)
{
    if (!block) {
        return;
    }
    memcore_require_big_lock("R-RAM-14");
    ram_block_name_forget(block);
    memset(block->idstr, 0, sizeof(block->idstr));
}

void ram_block_register(RAMBlock *block, const char *name, DeviceState *device)
{
    set_name(__func__, block, name, device);
    qemu_ram_set_migratable(block);
}
