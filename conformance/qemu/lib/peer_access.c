/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/lib/peer_access.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What a read leaves alone is no accident of what was there. */
enum { UNTOUCHED = 0xa5 };

const char *const peer_way_names[WAYS] = {
    [WAY_LITTLE] = "little-endian integer", [WAY_BIG] = "big-endian integer",
    [WAY_NATIVE] = "native integer", [WAY_BUFFER] = "buffer", [WAY_CACHE] = "cache", [WAY_MAP] = "map",
};

/* --- QEMU --------------------------------------------------------------------------- */

static char integer_letter(unsigned size)
{
    return size == 1 ? 'b' : size == 2 ? 'w' : size == 4 ? 'l' : 'q';
}

/* The integer that has these bytes in little-endian order, and back. */
static uint64_t integer_of(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)bytes[i] << 8 * i;
    }
    return value;
}

static void bytes_of(uint64_t value, uint8_t *bytes, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
}

static bool is_qtest_integer(const struct peer_access *a)
{
    return a->way == WAY_LITTLE || a->way == WAY_NATIVE;
}

static void append_command(GString *lines, const struct peer_access *a)
{
    const char *verb = a->is_write ? "write" : "read";

    if (is_qtest_integer(a)) {
        g_string_append_printf(lines, "%s%c 0x%" PRIx64, verb, integer_letter(a->size), a->address);
        if (a->is_write) {
            g_string_append_printf(lines, " 0x%" PRIx64, integer_of(a->data, a->size));
        }
    } else {
        g_string_append_printf(lines, "%s 0x%" PRIx64 " 0x%x", verb, a->address, a->size);
        if (a->is_write) {
            g_string_append(lines, " 0x");
            for (unsigned i = 0; i < a->size; i++) {
                g_string_append_printf(lines, "%02x", a->data[i]);
            }
        }
    }
    g_string_append_c(lines, '\n');
}

static bool parse_answer(struct peer_access *a, const char *answer)
{
    if (!g_str_has_prefix(answer, "0x")) {
        return false;
    }
    answer += 2;
    if (is_qtest_integer(a)) {
        bytes_of(g_ascii_strtoull(answer, NULL, 16), a->qemu, a->size);
        return true;
    }
    for (unsigned i = 0; i < a->size; i++) {
        int high = g_ascii_xdigit_value(answer[2 * i]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(answer[2 * i + 1]);

        if (low < 0) {
            return false;
        }
        a->qemu[i] = (uint8_t)(high << 4 | low);
    }
    return answer[2 * a->size] == '\0';
}

bool peer_access_qemu(struct qemu *q, struct peer_access *accesses, size_t count)
{
    GString *lines = g_string_new(NULL);
    GPtrArray *answers;
    bool good;

    for (size_t i = 0; i < count; i++) {
        append_command(lines, &accesses[i]);
    }
    answers = qemu_batch(q, lines, count);
    good = answers->len == count;
    for (size_t i = 0; good && i < count; i++) {
        good = accesses[i].is_write || parse_answer(&accesses[i], g_ptr_array_index(answers, i));
    }
    g_ptr_array_unref(answers);
    g_string_free(lines, TRUE);
    return good;
}

bool peer_read_memory(struct qemu *q, uint64_t address, uint8_t *bytes, size_t size)
{
    GString *line = g_string_new(NULL);
    GPtrArray *answers;
    gsize decoded = 0;

    g_string_printf(line, "b64read 0x%" PRIx64 " 0x%zx\n", address, size);
    answers = qemu_batch(q, line, 1);
    g_string_free(line, TRUE);
    if (answers->len == 1) {
        guchar *data = g_base64_decode(g_ptr_array_index(answers, 0), &decoded);

        memcpy(bytes, data, MIN(decoded, size));
        g_free(data);
    }
    g_ptr_array_unref(answers);
    return decoded == size;
}

/* --- the core ------------------------------------------------------------------------- */

#define NO_ATTRS MEMTXATTRS_UNSPECIFIED

static uint64_t load(AddressSpace *space, const struct peer_access *a)
{
    switch (a->size) {
    case 1:
        return address_space_ldub(space, a->address, NO_ATTRS, NULL);
    case 2:
        return a->way == WAY_LITTLE ? address_space_lduw_le(space, a->address, NO_ATTRS, NULL)
               : a->way == WAY_BIG  ? address_space_lduw_be(space, a->address, NO_ATTRS, NULL)
                                    : address_space_lduw(space, a->address, NO_ATTRS, NULL);
    case 4:
        return a->way == WAY_LITTLE ? address_space_ldl_le(space, a->address, NO_ATTRS, NULL)
               : a->way == WAY_BIG  ? address_space_ldl_be(space, a->address, NO_ATTRS, NULL)
                                    : address_space_ldl(space, a->address, NO_ATTRS, NULL);
    default:
        return a->way == WAY_LITTLE ? address_space_ldq_le(space, a->address, NO_ATTRS, NULL)
               : a->way == WAY_BIG  ? address_space_ldq_be(space, a->address, NO_ATTRS, NULL)
                                    : address_space_ldq(space, a->address, NO_ATTRS, NULL);
    }
}

static void store(AddressSpace *space, const struct peer_access *a, uint64_t value)
{
    if (a->size == 1) {
        address_space_stb(space, a->address, (uint8_t)value, NO_ATTRS, NULL);
    } else if (a->way == WAY_LITTLE) {
        a->size == 2   ? address_space_stw_le(space, a->address, (uint16_t)value, NO_ATTRS, NULL)
        : a->size == 4 ? address_space_stl_le(space, a->address, (uint32_t)value, NO_ATTRS, NULL)
                       : address_space_stq_le(space, a->address, value, NO_ATTRS, NULL);
    } else if (a->way == WAY_BIG) {
        a->size == 2   ? address_space_stw_be(space, a->address, (uint16_t)value, NO_ATTRS, NULL)
        : a->size == 4 ? address_space_stl_be(space, a->address, (uint32_t)value, NO_ATTRS, NULL)
                       : address_space_stq_be(space, a->address, value, NO_ATTRS, NULL);
    } else {
        a->size == 2   ? address_space_stw(space, a->address, (uint16_t)value, NO_ATTRS, NULL)
        : a->size == 4 ? address_space_stl(space, a->address, (uint32_t)value, NO_ATTRS, NULL)
                       : address_space_stq(space, a->address, value, NO_ATTRS, NULL);
    }
}

/* The same bytes in the other order, if this access has that one. */
static uint64_t in_order(const struct peer_access *a, uint64_t value)
{
    return a->way == WAY_BIG ? GUINT64_SWAP_LE_BE(value) >> (64 - 8 * a->size) : value;
}

static void access_integer(AddressSpace *space, struct peer_access *a)
{
    if (a->is_write) {
        store(space, a, in_order(a, integer_of(a->data, a->size)));
    } else {
        bytes_of(in_order(a, load(space, a)), a->core, a->size);
    }
}

static void access_cache(AddressSpace *space, struct peer_access *a)
{
    MemoryRegionCache cache = MEMORY_REGION_CACHE_INVALID;
    int64_t length = address_space_cache_init(&cache, space, a->address, a->size, a->is_write);

    /* A short cache leaves the rest untouched, which is a difference. */
    if (length > 0) {
        hwaddr size = MIN((hwaddr)length, a->size);

        RCU_READ_LOCK_GUARD();
        if (a->is_write) {
            address_space_write_cached(&cache, 0, a->data, size);
        } else {
            address_space_read_cached(&cache, 0, a->core, size);
        }
    }
    address_space_cache_destroy(&cache);
}

/* As devices do it: as many maps as it takes. */
static void access_map(AddressSpace *space, struct peer_access *a)
{
    for (hwaddr done = 0; done < a->size;) {
        hwaddr length = a->size - done;
        void *mapped = address_space_map(space, a->address + done, &length, a->is_write, NO_ATTRS);

        if (!mapped || length == 0) {
            return;
        }
        if (a->is_write) {
            memcpy(mapped, a->data + done, length);
        } else {
            memcpy(a->core + done, mapped, length);
        }
        address_space_unmap(space, mapped, length, a->is_write, length);
        done += length;
    }
}

void peer_access_core(AddressSpace *space, struct peer_access *a)
{
    memset(a->core, UNTOUCHED, a->size);
    switch (a->way) {
    case WAY_BUFFER:
        if (a->is_write) {
            address_space_write(space, a->address, NO_ATTRS, a->data, a->size);
        } else {
            address_space_read(space, a->address, NO_ATTRS, a->core, a->size);
        }
        break;
    case WAY_CACHE:
        access_cache(space, a);
        break;
    case WAY_MAP:
        access_map(space, a);
        break;
    default:
        access_integer(space, a);
        break;
    }
}
