/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions of the test devices: see the header. */
#include "model/access.h"

struct device_shape device_shape(unsigned valid_sizes, unsigned impl_sizes, uint64_t traits)
{
    static const uint8_t sizes[][2] = { { 0, 0 }, { 1, 1 }, { 1, 2 }, { 1, 4 }, { 1, 8 }, { 2, 2 },
                                        { 2, 4 }, { 2, 8 }, { 4, 4 }, { 4, 8 }, { 8, 8 } };
    enum { LAST = sizeof(sizes) / sizeof(sizes[0]) };   /* the words that differ: 4_0 and 8_2 */
    struct device_shape shape = { .traits = (uint32_t)traits };

    if (valid_sizes >= LAST) {
        shape.valid_min = 4;
    } else {
        shape.valid_min = sizes[valid_sizes][0];
        shape.valid_max = sizes[valid_sizes][1];
    }
    if (impl_sizes >= LAST) {
        shape.impl_min = 8;
        shape.impl_max = 2;
    } else {
        shape.impl_min = sizes[impl_sizes][0];
        shape.impl_max = sizes[impl_sizes][1];
    }
    return shape;
}

static uint64_t scramble(uint64_t x)
{
    x = (x ^ x >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    return x ^ x >> 29;
}

uint64_t device_value(unsigned slot, uint64_t offset, unsigned size, uint64_t counter)
{
    return scramble(scramble(scramble(offset + 1) + ((uint64_t)slot << 8 | size)) + counter);
}

uint32_t device_result(uint32_t traits, uint64_t counter)
{
    return traits & DEVICE_FAILING && counter & 1 ? 0x41 : 0;
}

bool device_accepts(uint64_t offset, unsigned size, bool is_write, uint32_t attrs)
{
    (void)size;
    return (offset / 4 + (attrs >> 8) + is_write) % 4 != 3;
}

uint32_t access_attrs(unsigned word)
{
    /* unspecified, plain, memory, secure, user, requester1, requester2, swap_tlb, all */
    static const uint32_t attrs[] = { 1, 0, 8, 2, 4, 0x100, 0x200, 0xb0, 0xffff96 };

    return attrs[word % (sizeof(attrs) / sizeof(attrs[0]))];
}

uint8_t access_data_byte(int64_t seed, uint64_t i)
{
    return (uint8_t)(scramble((uint64_t)seed * 0x10001 + i) >> 24);
}

struct scalar access_scalar(unsigned word)
{
    static const struct scalar scalars[] = {
        { 1, SCALAR_NATIVE }, { 2, SCALAR_NATIVE }, { 2, SCALAR_LITTLE }, { 2, SCALAR_BIG }, { 4, SCALAR_NATIVE },
        { 4, SCALAR_LITTLE }, { 4, SCALAR_BIG }, { 8, SCALAR_NATIVE }, { 8, SCALAR_LITTLE }, { 8, SCALAR_BIG },
    };

    return scalars[word % (sizeof(scalars) / sizeof(scalars[0]))];
}

struct scalar access_memop(unsigned word)
{
    return (struct scalar){ .size = 1u << word % 4, .order = word % 8 >= 4 ? SCALAR_BIG : SCALAR_LITTLE };
}

uint64_t access_cut(uint64_t value, unsigned size)
{
    return size < 8 ? value & ((UINT64_C(1) << 8 * size) - 1) : value;
}

uint64_t iommu_granule(unsigned word)
{
    static const uint64_t granules[] = { 0x40, 0x100, 0x1000, 0x10000, UINT64_C(1) << 60 };

    return granules[word % (sizeof(granules) / sizeof(granules[0]))];
}

uint64_t iommu_block_mask(uint64_t granule, unsigned word)
{
    return word == 3 ? UINT64_MAX : (granule << 2 * word) - 1;
}

unsigned iommu_indexes(uint32_t traits)
{
    return traits & IOMMU_INDEXED ? IOMMU_INDEXES : 1;
}

unsigned iommu_index(uint32_t traits, uint32_t attrs)
{
    return !(traits & IOMMU_INDEXED) ? 0 : attrs & ATTRS_SECURE ? 1 : attrs & 0x100 ? 2 : 0;
}

unsigned iommu_perm_index(unsigned perm, uint32_t traits)
{
    return (perm & 8 ? 2u : perm & 4 ? 1u : 0u) % iommu_indexes(traits);
}

void iommu_event(unsigned word, unsigned *type, unsigned *perm)
{
    enum { UNMAP = 1, MAP = 2, DEVIOTLB_UNMAP = 4 };

    *type = word == 0 ? UNMAP : word == 1 ? DEVIOTLB_UNMAP : MAP;
    *perm = word < 2 ? 0 : word - 2;
}

bool access_is_meanwhile(enum trace_op op)
{
    return op == TRACE_OP_MEANWHILE || op == TRACE_OP_MAP_MEANWHILE;
}

void access_meanwhile(const struct trace_step *s, struct trace_step steps[2])
{
    if (s->op == TRACE_OP_MEANWHILE) {
        const bool leaves = s->n == UNMAP_IN_CANCEL || s->n == CANCEL_IN_UNMAP;
        const bool unmap_first = s->n == UNMAP_IN_WAIT || s->n == UNMAP_IN_CANCEL;

        steps[!unmap_first] = (struct trace_step){ .op = TRACE_OP_UNMAP, .a = s->b, .n = s->c, .v = s->v, .w = s->w };
        steps[unmap_first] =
            (struct trace_step){ .op = leaves ? TRACE_OP_MAP_CLIENT_CANCEL : TRACE_OP_MAP_CLIENT, .a = s->a };
    } else {
        steps[0] = (struct trace_step){ .op = TRACE_OP_UNMAP, .a = s->c, .n = DIRECTION_READING };
        steps[1] = *s;
        steps[1].op = TRACE_OP_MAP;
        steps[1].c = 0;                     /* attrs unspecified */
    }
}
