/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The destination's driver: records and commands of the stream, in the order of R-PC-1 (R-WIRE-1..6). */
#include "migration/postcopy_receive.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "base/state.h"
#include "exec/ram_addr.h"
#include "migration/postcopy_wire.h"
#include "migration/stream_reader.h"
#include "qemu/bswap.h"

enum { PACKAGE_MAX = 16 << 20, PACKAGE_PIECE = 64 << 10 };

bool receive_bytes(Receiver *receiver, void *to, size_t length, const char *what, Error **errp)
{
    const MigrationTransport *transport = &receiver->mis->transport;
    const int result = transport->recv(transport->opaque, to, length);

    if (result < 0) {
        error_setg_errno(errp, -result, "%s: the connection to the source broke", what);
    }
    return result == 0;
}

bool receive_be(Receiver *receiver, size_t size, uint64_t *value, const char *what, Error **errp)
{
    uint8_t bytes[8] = { 0 };

    if (!receive_bytes(receiver, bytes + sizeof(bytes) - size, size, what, errp)) {
        return false;
    }
    *value = ldq_be_p(bytes);
    return true;
}

static bool receive_text(Receiver *receiver, uint64_t length, char *text, const char *what, Error **errp)
{
    if (length == 0 || length > 255) {
        error_setg(errp, "%s has %" PRIu64 " bytes; 1 to 255 are allowed", what, length);
        return false;
    }
    if (!receive_bytes(receiver, text, length, what, errp)) {
        return false;
    }
    text[length] = '\0';
    if (strlen(text) != length) {
        error_setg(errp, "%s has a NUL byte in it", what);
        return false;
    }
    return true;
}

bool receive_name(Receiver *receiver, char *name, const char *what, Error **errp)
{
    uint64_t length;

    return receive_be(receiver, 1, &length, what, errp) && receive_text(receiver, length, name, what, errp);
}

/* --- the beginning -------------------------------------------------------------------------- */

static bool receive_begin(Receiver *receiver, Error **errp)
{
    const char *machine = receiver->mis->machine;
    uint64_t magic, version, type, length;
    char name[256];

    if (!receive_be(receiver, 4, &magic, "magic number", errp) ||
        !receive_be(receiver, 4, &version, "stream version", errp)) {
        return false;
    }
    if (magic != WIRE_MAGIC || version != WIRE_VERSION) {
        error_setg(errp, "the stream starts with 0x%08" PRIx64 ", version %" PRIu64 "; not with 0x%08x (\"QEVM\"), "
                   "version 3", magic, version, WIRE_MAGIC);
        return false;
    }
    if (!receive_be(receiver, 1, &type, "configuration", errp)) {
        return false;
    }
    if (type != WIRE_CONFIGURATION) {
        error_setg(errp, "record 0x%02" PRIx64 " is not the configuration (0x07)", type);
        return false;
    }
    if (!receive_be(receiver, 4, &length, "machine name", errp) ||
        !receive_text(receiver, length, name, "machine name", errp)) {
        return false;
    }
    if (machine && strcmp(machine, name) != 0) {
        char *readable = printable(name);

        error_setg(errp, "the machine there is \"%s\", not \"%s\"", readable, machine);
        g_free(readable);
        return false;
    }
    receiver->configuring = true;
    return true;
}

static bool receive_uuid(Receiver *receiver, Error **errp)
{
    const uint8_t *ours = receiver->mis->uuid;
    uint8_t uuid[16];

    if (!receive_bytes(receiver, uuid, sizeof(uuid), "uuid", errp)) {
        return false;
    }
    if (ours && memcmp(ours, uuid, sizeof(uuid)) != 0) {
        error_setg(errp, "the machine there has another uuid");
        return false;
    }
    return true;
}

static bool receive_page_bits(Receiver *receiver, Error **errp)
{
    uint64_t bits;

    if (!receive_be(receiver, 4, &bits, "target-page-bits", errp)) {
        return false;
    }
    if (bits != TARGET_PAGE_BITS) {
        error_setg(errp, "target-page-bits are %" PRIu64 " there, %d here", bits, TARGET_PAGE_BITS);
        return false;
    }
    return true;
}

/* Those of R-STRM-2 that a stream over a connection can have. */
static bool receive_subsection(Receiver *receiver, Error **errp)
{
    static const struct {
        const char *name;
        bool (*receive)(Receiver *receiver, Error **errp);
    } known[] = {
        { "configuration/target-page-bits", receive_page_bits },
        { "configuration/uuid", receive_uuid },
    };
    uint64_t version;
    char name[256], *readable;
    bool twice = false;

    if (!receiver->configuring) {
        error_setg(errp, "a subsection without a section");
        return false;
    }
    if (!receive_name(receiver, name, "name of a subsection", errp) ||
        !receive_be(receiver, 4, &version, "version of a subsection", errp)) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(known) && version == 1 && !twice; i++) {
        if (strcmp(name, known[i].name) == 0) {
            twice = receiver->subsections >> i & 1;
            receiver->subsections |= 1u << i;
            if (!twice) {
                return known[i].receive(receiver, errp);
            }
        }
    }
    readable = printable(name);
    error_setg(errp, "subsection \"%s\", version %" PRIu64 ", is %s", readable, version,
               twice ? "there twice" : "not known");
    g_free(readable);
    return false;
}

/* --- commands -------------------------------------------------------------------------------- */

static bool handle_advise(Receiver *receiver, const uint8_t *payload, Error **errp)
{
    const uint64_t page_sizes = ldq_be_p(payload), target_page = ldq_be_p(payload + 8);
    uint64_t ours = 0;
    RAMBlock *block;
    bool done;

    if (!postcopy_event_allowed(POSTCOPY_EVENT_ADVISE, errp)) {
        return false;
    }
    qemu_mutex_lock_iothread();
    RAMBLOCK_FOREACH(block) {
        ours |= postcopy_takes_part(block) ? block->page_size : 0;
    }
    done = postcopy_supported(errp);
    if (done && (page_sizes != ours || target_page != TARGET_PAGE_SIZE)) {
        error_setg(errp, "the source has pages of 0x%" PRIx64 " for the target and 0x%" PRIx64 " for its blocks; here "
                   "they are of 0x%llx and 0x%" PRIx64, target_page, page_sizes, TARGET_PAGE_SIZE, ours);
        done = false;
    }
    done = done && postcopy_incoming_init(receiver->mis, errp);
    qemu_mutex_unlock_iothread();
    return done;
}

static bool handle_discard(Receiver *receiver, const uint8_t *payload, size_t length, Error **errp)
{
    MigrationIncomingState *mis = receiver->mis;
    RAMBlock *block;
    char name[256];
    size_t count;
    bool done = true;

    if (!postcopy_event_allowed(POSTCOPY_EVENT_DISCARD, errp) ||
        !(count = wire_parse_discard(payload, length, name, errp))) {
        return false;
    }
    block = qemu_ram_block_by_name(name);
    if (!block || !postcopy_takes_part(block)) {
        char *readable = printable(name);

        error_setg(errp, "block \"%s\", of which pages are to be discarded, is not here", readable);
        g_free(readable);
        return false;
    }
    qemu_mutex_lock_iothread();
    if (postcopy_state_get() == POSTCOPY_INCOMING_ADVISE) {
        done = postcopy_prepare_discard(mis, errp);
    }
    for (size_t i = 0; i < count && done; i++) {
        const WireRange range = wire_discard_range(payload, length, count, i);

        if (range.start > block->postcopy_length || range.length > block->postcopy_length - range.start) {
            error_setg(errp, "block \"%s\": 0x%" PRIx64 " bytes at 0x%" PRIx64 " are to be discarded, but it has 0x%"
                       PRIx64, block->idstr, range.length, range.start, block->postcopy_length);
            done = false;
        } else {
            done = postcopy_discard_range(mis, block->host + range.start, range.length, errp);
        }
    }
    qemu_mutex_unlock_iothread();
    return done;
}

static bool handle_listen(Receiver *receiver, Error **errp)
{
    MigrationIncomingState *mis = receiver->mis;
    bool done;

    if (!receiver->started || mis->return_path_closed) {
        error_setg(errp, "LISTEN before %s", !receiver->started ? "the list of blocks" : "OPEN_RETURN_PATH");
        return false;
    }
    qemu_mutex_lock_iothread();
    done = postcopy_enable_notify(mis, errp);
    qemu_mutex_unlock_iothread();
    return done;
}

static bool handle_run(Receiver *receiver, const void *devices, size_t length, Error **errp)
{
    MigrationIncomingState *mis = receiver->mis;

    if (!postcopy_event_allowed(POSTCOPY_EVENT_RUN, errp)) {
        return false;
    }
    postcopy_state_set(POSTCOPY_INCOMING_RUNNING);
    migration_status_set(&mis->status, MIGRATION_STATUS_POSTCOPY_ACTIVE);
    if (mis->run) {
        mis->run(mis->opaque, devices, length);
    }
    return true;
}

/* All of it is read before any of it is done, as its sections may touch missing pages (R-WIRE-6). */
static bool handle_package(Receiver *receiver, uint64_t length, Error **errp)
{
    static const uint8_t listen[] = { WIRE_COMMAND, 0, WIRE_LISTEN, 0, 0 }, run[] = { WIRE_COMMAND, 0, WIRE_RUN, 0, 0 };
    GByteArray *package;
    bool done = true;

    if (length < sizeof(listen) + sizeof(run) || length > PACKAGE_MAX) {
        error_setg(errp, "a package has %" PRIu64 " bytes; 10 to %d are allowed", length, PACKAGE_MAX);
        return false;
    }
    package = g_byte_array_new();
    while (package->len < length && done) {     /* memory follows what comes, not what is promised */
        const guint have = package->len, piece = (guint)MIN(length - have, PACKAGE_PIECE);

        g_byte_array_set_size(package, have + piece);
        done = receive_bytes(receiver, package->data + have, piece, "package", errp);
    }
    if (done && (memcmp(package->data, listen, sizeof(listen)) != 0 ||
                 memcmp(package->data + length - sizeof(run), run, sizeof(run)) != 0)) {
        error_setg(errp, "a package does not start with LISTEN and end with RUN");
        done = false;
    }
    done = done && handle_listen(receiver, errp) &&
           handle_run(receiver, package->data + sizeof(listen), (size_t)length - sizeof(listen) - sizeof(run), errp);
    g_byte_array_unref(package);
    return done;
}

static bool handle_ping(Receiver *receiver, uint32_t value, Error **errp)
{
    const int result = postcopy_send_pong(receiver->mis, value);

    if (result < 0) {
        error_setg_errno(errp, -result, "a ping cannot be answered");
    }
    return result == 0;
}

static bool check_length(uint64_t command, uint64_t length, Error **errp)
{
    static const struct {
        uint64_t length;
        bool known, more;
    } commands[] = {
        [WIRE_OPEN_RETURN_PATH] = { 0, true, false }, [WIRE_PING] = { 4, true, false },
        [WIRE_ADVISE] = { 16, true, false },          [WIRE_LISTEN] = { 0, true, false },
        [WIRE_RUN] = { 0, true, false },              [WIRE_DISCARD] = { 20, true, true },
        [WIRE_PACKAGED] = { 4, true, false },         [WIRE_SWITCHOVER_START] = { 0, true, false },
    };

    if (command >= G_N_ELEMENTS(commands) || !commands[command].known) {
        error_setg(errp, "command %" PRIu64 " is not known", command);
        return false;
    }
    if (commands[command].more ? length < commands[command].length : length != commands[command].length) {
        error_setg(errp, "command %" PRIu64 " has %" PRIu64 " bytes, %s%" PRIu64, command, length,
                   commands[command].more ? "fewer than " : "not ", commands[command].length);
        return false;
    }
    return true;
}

static bool receive_command(Receiver *receiver, Error **errp)
{
    uint64_t command, length;
    uint8_t payload[65536];

    if (!receive_be(receiver, 2, &command, "command", errp) || !receive_be(receiver, 2, &length, "command", errp) ||
        !check_length(command, length, errp) || !receive_bytes(receiver, payload, length, "command", errp)) {
        return false;
    }
    switch (command) {
    case WIRE_OPEN_RETURN_PATH:
        receiver->mis->return_path_closed = false;
        return true;
    case WIRE_PING:
        return handle_ping(receiver, (uint32_t)ldl_be_p(payload), errp);
    case WIRE_ADVISE:
        return handle_advise(receiver, payload, errp);
    case WIRE_LISTEN:
        return handle_listen(receiver, errp);
    case WIRE_RUN:
        return handle_run(receiver, NULL, 0, errp);
    case WIRE_DISCARD:
        return handle_discard(receiver, payload, length, errp);
    case WIRE_PACKAGED:
        return handle_package(receiver, (uint32_t)ldl_be_p(payload), errp);
    default:        /* WIRE_SWITCHOVER_START: nothing to do here */
        return true;
    }
}

/* --- sections --------------------------------------------------------------------------------- */

static bool receive_footer(Receiver *receiver, Error **errp)
{
    uint64_t type, id;

    if (!receive_be(receiver, 1, &type, "footer", errp) || !receive_be(receiver, 4, &id, "footer", errp)) {
        return false;
    }
    if (type != WIRE_FOOTER || id != receiver->ram_section) {
        error_setg(errp, "the footer of section %" PRIu32 " is 0x%02" PRIx64 " of section %" PRIu64,
                   receiver->ram_section, type, id);
        return false;
    }
    return true;
}

static bool receive_start(Receiver *receiver, Error **errp)
{
    uint64_t id, instance, version;
    char name[256];

    if (!receive_be(receiver, 4, &id, "section", errp) || !receive_name(receiver, name, "name of a section", errp) ||
        !receive_be(receiver, 4, &instance, "section", errp) || !receive_be(receiver, 4, &version, "section", errp)) {
        return false;
    }
    if (receiver->started || strcmp(name, "ram") != 0 || instance != 0 || version != WIRE_RAM_VERSION) {
        char *readable = printable(name);

        error_setg(errp, "section \"%s\", instance %" PRIu64 ", version %" PRIu64 ": %s", readable, instance, version,
                   receiver->started ? "the RAM was started already" : "\"ram\", instance 0, version 4 was expected");
        g_free(readable);
        return false;
    }
    receiver->ram_section = (uint32_t)id;
    receiver->started = true;
    migration_status_set(&receiver->mis->status, MIGRATION_STATUS_ACTIVE);
    return receive_ram_start(receiver, errp) && receive_footer(receiver, errp);
}

static bool receive_part(Receiver *receiver, bool last, Error **errp)
{
    uint64_t id;

    if (!receive_be(receiver, 4, &id, "section", errp)) {
        return false;
    }
    if (!receiver->started || receiver->ended || id != receiver->ram_section) {
        error_setg(errp, "section %" PRIu64 " goes on, but it %s", id,
                   receiver->ended ? "has ended" : "was not started");
        return false;
    }
    receiver->ended = last;
    return receive_ram_pages(receiver, errp) && receive_footer(receiver, errp);
}

static bool receive_record(Receiver *receiver, bool *end, Error **errp)
{
    uint64_t type;

    if (!postcopy_serve_until_stream(receiver->mis, errp) || !receive_be(receiver, 1, &type, "record", errp)) {
        return false;
    }
    if (type != WIRE_SUBSECTION) {
        receiver->configuring = false;
    }
    switch (type) {
    case WIRE_SUBSECTION:
        return receive_subsection(receiver, errp);
    case WIRE_START:
        return receive_start(receiver, errp);
    case WIRE_PART:
    case WIRE_END:
        return receive_part(receiver, type == WIRE_END, errp);
    case WIRE_COMMAND:
        return receive_command(receiver, errp);
    case WIRE_EOF:
        if (!receiver->ended) {
            error_setg(errp, "the stream ends before the RAM does");
            return false;
        }
        *end = true;
        return postcopy_event_allowed(POSTCOPY_EVENT_END, errp);
    default:
        error_setg(errp, "record 0x%02" PRIx64 " is not known", type);
        return false;
    }
}

/* --- the driver -------------------------------------------------------------------------------- */

static bool receive_all(Receiver *receiver, Error **errp)
{
    bool end = false, done = receive_begin(receiver, errp);

    while (done && !end) {
        /* Somebody may wait for a page that could not be asked for (R-PC-22). */
        done = receive_record(receiver, &end, errp) &&
               migration_status_get(&receiver->mis->status) != MIGRATION_STATUS_FAILED;
    }
    if (done) {
        qemu_mutex_lock_iothread();
        done = postcopy_cleanup(receiver->mis, errp);
        qemu_mutex_unlock_iothread();
    }
    return done;
}

/*
 * `error` NULL: mis has it.  Where no guest ran nothing is lost; else its threads go on waiting until the caller
 * says (R-PC-25).
 */
static void take_down(MigrationIncomingState *mis, Error *error)
{
    postcopy_fail(mis, error);
    if (mis->postcopy && postcopy_state_get() != POSTCOPY_INCOMING_RUNNING) {
        const bool abandon = mis->abandon;

        mis->abandon = true;
        qemu_mutex_lock_iothread();
        postcopy_cleanup(mis, NULL);
        qemu_mutex_unlock_iothread();
        mis->abandon = abandon;
    } else {
        postcopy_hand_over_faults(mis);
        postcopy_send_shut(mis, true);
        mis->return_path_closed = true;     /* that was the last word; cleanup has none */
    }
    if (mis->transport.shutdown) {
        mis->transport.shutdown(mis->transport.opaque);
    }
}

int ram_migrate_incoming(MigrationIncomingState *mis)
{
    Receiver receiver = { .mis = mis };
    Error *error = NULL;
    bool done;

    memcore_require(!qemu_mutex_iothread_locked(), "R-PC-53", "called with the big lock, for which the guest may wait");
    memcore_require(!mis->postcopy, "R-PC-51", "the state %p is in use", (void *)mis);
    if (postcopy_state_get() == POSTCOPY_INCOMING_END) {
        postcopy_state_set(POSTCOPY_INCOMING_NONE);
    }
    migration_status_set(&mis->status, MIGRATION_STATUS_SETUP);
    mis->return_path_closed = true;
    /* A request that is the program's own business may take long, and is answered without us. */
    mis->receiver_serves = mis->transport.ready && !mis->request_page;
    done = receive_all(&receiver, &error);
    g_free(receiver.whole_parts);
    if (!done) {
        take_down(mis, error);
    }
    mis->receiver_serves = false;
    if (!done) {
        return -1;
    }
    migration_status_set(&mis->status, MIGRATION_STATUS_COMPLETED);
    return 0;
}
