/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/ram_save.h"

#include <string.h>

static void look(struct save_model *model)
{
    model->dirty_sync_count++;
    for (unsigned b = 0; b < model->count; b++) {
        struct save_model_block *block = &model->blocks[b];

        for (unsigned page = 0; page < block->pages; page++) {
            model->remaining += block->written[page] && !block->dirty[page];
            block->dirty[page] |= block->written[page];
            block->written[page] = false;
        }
    }
}

void save_model_start(struct save_model *model)
{
    model->total = model->normal = model->zero = model->remaining = model->dirty_sync_count = 0;
    model->block = model->page = 0;
    for (unsigned b = 0; b < model->count; b++) {
        struct save_model_block *block = &model->blocks[b];

        for (unsigned page = 0; page < block->pages; page++) {
            block->dirty[page] = true;
            block->written[page] = block->present[page] = false;
        }
        model->total += block->pages;
        model->remaining += block->pages;
    }
    look(model);
}

void save_model_drop(struct save_model *model, unsigned block, unsigned page)
{
    model->remaining -= model->blocks[block].dirty[page];
    model->blocks[block].dirty[page] = false;
}

void save_model_write(struct save_model *model, unsigned block, unsigned page, unsigned count)
{
    for (; count > 0; count--, page++) {
        model->blocks[block].written[page] = true;
    }
}

static bool is_zero(const struct save_model_block *block, uint64_t start, uint64_t size)
{
    for (uint64_t i = start; i < start + size && i < block->length; i++) {
        if (block->memory[i]) {
            return false;
        }
    }
    return true;
}

static void take(struct save_model *model, uint64_t pages)
{
    while (pages > 0 && model->remaining > 0) {
        struct save_model_block *block = &model->blocks[model->block];

        if (model->page >= block->pages) {
            model->page = 0;
            model->block = (model->block + 1) % model->count;
            continue;
        }
        if (block->dirty[model->page]) {
            const bool absent = !model->keep_zero_pages &&
                                is_zero(block, model->page * model->page_size, model->page_size);

            block->dirty[model->page] = false;
            block->present[model->page] = !absent;
            model->remaining--;
            model->zero += absent;
            model->normal += !absent;
            pages--;
        }
        model->page++;
    }
}

bool save_model_iterate(struct save_model *model, uint64_t pages)
{
    take(model, pages);
    if (model->remaining < model->enough) {
        look(model);
    }
    return model->remaining > 0 && model->remaining >= model->enough &&
           !(model->max_rounds && model->dirty_sync_count > model->max_rounds);
}

void save_model_complete(struct save_model *model)
{
    look(model);
    take(model, UINT64_MAX);
}
