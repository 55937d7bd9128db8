/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps, caches and IOMMUs are not modelled yet: the resolver skips their operations. */
#include "model/state.h"

bool model_covers(enum trace_op op)
{
    return trace_op_table[op].group <= TRACE_GROUP_ACCESS;
}

size_t model_mappings(const struct model *m, const uint16_t **slots)
{
    (void)m;
    *slots = NULL;
    return 0;
}

size_t model_caches(const struct model *m, const uint16_t **slots)
{
    return model_mappings(m, slots);
}

size_t model_iommu_notifiers(const struct model *m, const uint16_t **slots)
{
    return model_mappings(m, slots);
}

bool model_mapping(const struct model *m, unsigned slot, struct model_mapping *out)
{
    (void)m;
    (void)slot;
    (void)out;
    return false;
}

bool model_cache(const struct model *m, unsigned slot, struct model_cache *out)
{
    (void)m;
    (void)slot;
    (void)out;
    return false;
}

bool model_iommu(const struct model *m, unsigned region, struct model_iommu *out)
{
    (void)m;
    (void)region;
    (void)out;
    return false;
}

bool model_iommu_notifier(const struct model *m, unsigned slot, struct model_iommu_notifier *out)
{
    (void)m;
    (void)slot;
    (void)out;
    return false;
}
