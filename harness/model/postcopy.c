/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/postcopy.h"

#include <string.h>

/* --- destination ------------------------------------------------------------------------------ */

void postcopy_model_start(struct postcopy_model *model)
{
    unsigned pages[POSTCOPY_MODEL_BLOCKS];
    uint32_t absent[POSTCOPY_MODEL_BLOCKS];

    memcpy(pages, model->pages, sizeof(pages));
    memcpy(absent, model->absent, sizeof(absent));
    memset(model, 0, sizeof(*model));
    memcpy(model->pages, pages, sizeof(pages));
    memcpy(model->absent, absent, sizeof(absent));
    model->last_block = -1;
}

bool postcopy_model_advise(struct postcopy_model *model, bool sizes_match)
{
    if (model->state != POSTCOPY_MODEL_NONE || !sizes_match) {
        return false;
    }
    memset(model->page, 0, sizeof(model->page));
    model->state = POSTCOPY_MODEL_ADVISE;
    return true;
}

bool postcopy_model_list(struct postcopy_model *model, bool lengths_match)
{
    if (model->state > POSTCOPY_MODEL_ADVISE || model->started || !lengths_match) {
        return false;
    }
    model->started = true;
    return true;
}

static bool has(const struct postcopy_model *model, int block, unsigned start, unsigned count)
{
    return block >= 0 && start <= model->pages[block] && count <= model->pages[block] - start;
}

bool postcopy_model_discard(struct postcopy_model *model, int block, unsigned start, unsigned count)
{
    if ((model->state != POSTCOPY_MODEL_ADVISE && model->state != POSTCOPY_MODEL_DISCARD) ||
        !has(model, block, start, count)) {
        return false;
    }
    for (unsigned page = start; page < start + count; page++) {
        model->page[block][page] = (struct postcopy_model_page){ .received = false };
    }
    model->discarded += count;
    model->state = POSTCOPY_MODEL_DISCARD;
    return true;
}

bool postcopy_model_resize(struct postcopy_model *model, int block, unsigned pages)
{
    if (model->state >= POSTCOPY_MODEL_RUNNING || pages == model->pages[block]) {
        return true;
    }
    if (model->state != POSTCOPY_MODEL_ADVISE) {
        return false;
    }
    for (unsigned page = model->pages[block]; page < pages; page++) {
        model->page[block][page] = (struct postcopy_model_page){ .received = false };
    }
    model->pages[block] = pages;
    return true;
}

bool postcopy_model_listen(struct postcopy_model *model)
{
    if ((model->state != POSTCOPY_MODEL_ADVISE && model->state != POSTCOPY_MODEL_DISCARD) || !model->started ||
        !model->return_path) {
        return false;
    }
    model->state = POSTCOPY_MODEL_LISTENING;
    return true;
}

bool postcopy_model_run(struct postcopy_model *model)
{
    if (model->state != POSTCOPY_MODEL_LISTENING) {
        return false;
    }
    model->state = POSTCOPY_MODEL_RUNNING;
    return true;
}

bool postcopy_model_complete(const struct postcopy_model *model)
{
    for (int block = 0; block < POSTCOPY_MODEL_BLOCKS; block++) {
        for (unsigned page = 0; page < model->pages[block]; page++) {
            if (!model->page[block][page].received && !(model->absent[block] >> page & 1)) {
                return false;
            }
        }
    }
    return true;
}

bool postcopy_model_end_of_stream(struct postcopy_model *model)
{
    if (model->state != POSTCOPY_MODEL_RUNNING || !model->ended || !postcopy_model_complete(model)) {
        return false;
    }
    model->state = POSTCOPY_MODEL_END;
    return true;
}

void postcopy_model_place(struct postcopy_model *model, int block, unsigned page, uint8_t value)
{
    struct postcopy_model_page *place = &model->page[block][page];

    if (place->received) {
        model->duplicates++;
        return;
    }
    *place = (struct postcopy_model_page){ .received = true, .value = value, .known = true };
    *(value ? &model->placed : &model->zero_placed) += 1;
}

bool postcopy_model_page(struct postcopy_model *model, bool named, int block, unsigned page, uint8_t value)
{
    if (!named) {
        block = model->last_block;
    }
    if (!model->started || model->ended || !has(model, block, page, 1)) {
        return false;
    }
    model->last_block = block;
    if (model->state >= POSTCOPY_MODEL_LISTENING) {
        postcopy_model_place(model, block, page, value);
    } else {
        /* without ADVISE nobody notes what came */
        model->page[block][page].received = model->state != POSTCOPY_MODEL_NONE;
        model->page[block][page].value = value;
        model->page[block][page].known = true;
    }
    return true;
}

enum postcopy_model_touch postcopy_model_touch(struct postcopy_model *model, int block, unsigned page)
{
    struct postcopy_model_page *place = &model->page[block][page];

    model->faults++;
    if (model->absent[block] >> page & 1) {
        postcopy_model_place(model, block, page, 0);
        return POSTCOPY_MODEL_GOES_ON;
    }
    if (place->received) {
        return POSTCOPY_MODEL_GOES_ON;
    }
    if (place->requested) {
        model->suppressed++;
        return POSTCOPY_MODEL_HAS_ASKED;
    }
    place->requested = true;
    model->requests++;
    return POSTCOPY_MODEL_ASKS;
}

/* --- source ----------------------------------------------------------------------------------------- */

void postcopy_source_model_start(struct postcopy_source_model *model)
{
    unsigned pages[POSTCOPY_MODEL_BLOCKS];

    memcpy(pages, model->pages, sizeof(pages));
    memset(model, 0, sizeof(*model));
    memcpy(model->pages, pages, sizeof(pages));
    model->last_requested = -1;
}

bool postcopy_source_model_request(struct postcopy_source_model *model, bool named, int block, uint64_t start,
                                   uint64_t length, uint64_t page_size)
{
    uint64_t bytes;

    if (!named) {
        block = model->last_requested;
    }
    if (block < 0 || length == 0 || start % page_size || length % page_size) {
        return false;
    }
    bytes = model->pages[block] * page_size;
    if (start >= bytes || length > bytes - start) {
        return false;
    }
    model->last_requested = block;
    for (uint64_t page = start / page_size; page < (start + length) / page_size; page++) {
        if (model->count < POSTCOPY_MODEL_REQUESTS_MAX) {
            model->requests[model->count].block = block;
            model->requests[model->count].page = (unsigned)page;
            model->count++;
        }
    }
    return true;
}

static void take(struct postcopy_source_model *model, int block, unsigned page)
{
    model->dirty[block][page] = false;
    model->block = block;
    model->page = page + 1;
}

bool postcopy_source_model_next(struct postcopy_source_model *model, int *block, unsigned *page)
{
    while (model->first < model->count) {
        *block = model->requests[model->first].block;
        *page = model->requests[model->first].page;
        model->first++;
        if (model->dirty[*block][*page]) {
            take(model, *block, *page);
            return true;
        }
        model->ignored++;
    }
    /* Once around all blocks, and the start of the first one again. */
    for (int turn = 0; turn <= POSTCOPY_MODEL_BLOCKS; turn++) {
        *block = (model->block + turn) % POSTCOPY_MODEL_BLOCKS;
        for (*page = turn ? 0 : model->page; *page < model->pages[*block]; ++*page) {
            if (model->dirty[*block][*page]) {
                take(model, *block, *page);
                return true;
            }
        }
    }
    return false;
}
