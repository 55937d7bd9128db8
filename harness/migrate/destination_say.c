/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages that a destination hears, right and wrong, with what has to come of each. */
#include <string.h>

#include "exec/ram_addr.h"
#include "migrate/destination.h"
#include "migrate/wire.h"

static void expect(bool accepted)
{
    destination.expectation = accepted ? ACCEPTED : REFUSED;
}

static void close_section(void)
{
    if (destination.section) {
        wire_put_section_end(destination.wire);
        destination.section = false;
    }
}

static void say_page(bool named, int block, unsigned page, uint8_t value)
{
    const bool places = destination_listening();

    if (!destination.section) {
        wire_put(destination.wire, 2, 1);
        wire_put(destination.wire, 1, 4);
        destination.section = true;
    }
    wire_put_page(destination.wire, named ? block < 0 ? "rom" : postcopy_names[block] : NULL, page, value);
    if (!named) {
        block = destination.model.last_block;
    }
    if (places && kernel.no_memory && block >= 0 && page < guest.pages[block] && destination.model.started &&
        !destination.model.ended && !destination.model.page[block][page].received) {
        expect(false);
        return;
    }
    expect(postcopy_model_page(&destination.model, named, block, page, value));
}

static void say_advise(bool matches)
{
    wire_put_command(destination.wire, 3, 16);
    wire_put(destination.wire, guest.page_size << !matches, 8);
    wire_put(destination.wire, TARGET_PAGE_SIZE, 8);
    expect(!kernel.no_open && postcopy_model_advise(&destination.model, matches));
}

static void say_discard(int block, unsigned start, unsigned count)
{
    const char *name = block < 0 ? "rom" : postcopy_names[block];

    wire_put_command(destination.wire, 6, (unsigned)(19 + strlen(name)));
    wire_put(destination.wire, 0, 1);
    wire_put_name(destination.wire, name);
    wire_put(destination.wire, 0, 1);
    wire_put(destination.wire, start * guest.page_size, 8);
    wire_put(destination.wire, count * guest.page_size, 8);
    expect(postcopy_model_discard(&destination.model, block, start, count));
}

static bool model_listen(void)
{
    return !kernel.no_open && !kernel.no_enroll && postcopy_model_listen(&destination.model);
}

static void say_listen(unsigned which)
{
    switch (which) {
    case 0:
        wire_put_command(destination.wire, 4, 0);
        expect(model_listen());
        break;
    case 1:
        wire_put_command(destination.wire, 5, 0);
        expect(postcopy_model_run(&destination.model));
        break;
    case 2:
        wire_put_u32_command(destination.wire, 7, 13);
        wire_put_command(destination.wire, 4, 0);
        wire_put(destination.wire, 0xabcdef, 3);
        wire_put_command(destination.wire, 5, 0);
        expect(model_listen() && postcopy_model_run(&destination.model));
        break;
    default:
        wire_put_command(destination.wire, 1, 0);
        destination.model.return_path = true;
        expect(true);
    }
}

static void say_end(void)
{
    wire_put(destination.wire, 3, 1);
    wire_put(destination.wire, 1, 4);
    wire_put_section_end(destination.wire);
    expect(destination.model.started && !destination.model.ended);
    destination.model.ended = destination.model.ended || destination.model.started;
}

/* The next message of a right stream up to RUN; false: it runs. */
static bool say_setup(void)
{
    if (!destination.model.return_path) {
        say_listen(3);
    } else if (destination.model.state == POSTCOPY_MODEL_NONE) {
        say_advise(true);
    } else if (!destination.model.started) {
        wire_put_list(destination.wire, false);
        expect(postcopy_model_list(&destination.model, true));
    } else if (destination.model.state == POSTCOPY_MODEL_ADVISE) {
        const int block = guest.pages[0] ? 0 : 1;

        say_discard(block, 0, MIN(guest.pages[block], 3));
    } else if (destination.model.state <= POSTCOPY_MODEL_LISTENING) {
        say_listen(destination.model.state == POSTCOPY_MODEL_DISCARD ? 2 : 1);
    } else {
        return false;
    }
    return true;
}

bool destination_say_rest(void)
{
    if (destination.model.state != POSTCOPY_MODEL_RUNNING) {
        close_section();
    }
    if (say_setup()) {
        return true;
    }
    for (int b = 0; b < BLOCKS && !destination.model.ended; b++) {
        for (unsigned page = 0; page < guest.pages[b]; page++) {
            if (!destination.model.page[b][page].received && !(guest.absent[b] >> page & 1) &&
                destination.steps->parameters[2] != 1 + page + (b ? guest.pages[0] : 0)) {
                say_page(true, b, page, (uint8_t)(page * 3));
                return true;
            }
        }
    }
    close_section();
    if (!destination.model.ended) {
        say_end();
        return true;
    }
    if (!destination.finished) {
        destination.finished = true;
        wire_put(destination.wire, 0, 1);
        expect(postcopy_model_end_of_stream(&destination.model));
        return true;
    }
    return false;
}

void destination_say(uint8_t what, uint8_t a, uint8_t b, uint8_t c)
{
    const int block = (a & 14) == 14 ? -1 : a & 1;

    if (what > 2) {
        close_section();
    }
    switch (what) {
    case 5:
        say_discard(block, b % 32, 1 + c % 8);
        break;
    case 6:
        say_advise(!(a & 2));
        break;
    case 7:
        wire_put_list(destination.wire, a & 2);
        expect(postcopy_model_list(&destination.model, !(a & 2)));
        break;
    case 8:
        say_listen(a >> 1 & 3);
        break;
    case 9:
        say_end();
        break;
    case 10:
        wire_put(destination.wire, 0, 1);
        expect(postcopy_model_end_of_stream(&destination.model));
        break;
    case 15:
        if (a & 2) {
            wire_put_u32_command(destination.wire, 2, c);
            expect(!(destination.send_fails && destination.model.return_path));
        } else {
            say_setup();
        }
        break;
    default:
        say_page(!(a & 64), block, b % 32, c);
    }
}
