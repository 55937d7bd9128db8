/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "postcopy_stage.h"

#include <string.h>
#include <unistd.h>

#include "exec/ram_addr.h"

struct destination_asked destination_asked;
MigrationIncomingState mis;
RAMBlock *ram;

int destination_ask(void *opaque, RAMBlock *block, uint64_t start, uint64_t length)
{
    const unsigned number = READ_COUNTER(destination_asked.count);

    (void)opaque;
    check_number(length, block->page_size);
    if (number < G_N_ELEMENTS(destination_asked.pages)) {
        destination_asked.pages[number] = (int64_t)(start / length);
    }
    __atomic_store_n(&destination_asked.count, number + 1, __ATOMIC_SEQ_CST);
    return READ_COUNTER(destination_asked.result);
}

void destination_begin(RamKind kind)
{
    memset(&destination_asked, 0, sizeof(destination_asked));
    mis = (MigrationIncomingState){ .request_page = destination_ask };
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    lying_host();
    ram = stage_block(kind, "ram", DESTINATION_PAGES * host_page);
    memset(ram->host, 0x11, DESTINATION_PAGES * host_page);
}

/* All missing, and somebody would wait for it. */
void destination_listen(RamKind kind)
{
    destination_begin(kind);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_LISTENING);
}

uint8_t *destination_page(unsigned page)
{
    return ram->host + page * host_page;
}

int destination_place(unsigned page, uint8_t value)
{
    void *from = postcopy_get_tmp_page(&mis);

    memset(from, value, host_page);
    return postcopy_place_page(&mis, destination_page(page), from);
}

bool destination_received(unsigned page)
{
    for (size_t offset = 0; offset < host_page; offset += TARGET_PAGE_SIZE) {
        if (!ramblock_recv_bitmap_test_byte_offset(ram, page * host_page + offset)) {
            return false;
        }
    }
    return true;
}

/* Gives all up: whoever still waits reads zeroes. */
void destination_end(void)
{
    mis.abandon = true;
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    check_pointer(mis.postcopy, NULL);
    check_number(postcopy_state_set(POSTCOPY_INCOMING_NONE), POSTCOPY_INCOMING_END);
    check_number(lying.opened, lying.closed);
    error_free(mis.error);
    mis.error = NULL;
    postcopy_set_host(NULL);
}

/* Places all pages that are not there, and ends as it should. */
void destination_complete(void)
{
    for (unsigned page = 0; page < DESTINATION_PAGES; page++) {
        if (!destination_received(page)) {
            check_number(postcopy_place_page_zero(&mis, destination_page(page)), 0);
        }
    }
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    destination_end();
}
