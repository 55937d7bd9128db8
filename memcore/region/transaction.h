/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transactions: how deep they nest, what is pending, and who may change
 * something now.  What a commit does is installed by topology/.
 */
#ifndef MEMCORE_REGION_TRANSACTION_H
#define MEMCORE_REGION_TRANSACTION_H

#include <stdbool.h>

#include "base/misuse.h"
#include "base/state.h"

/*
 * Called when the outermost transaction ends with something pending; nothing
 * is pending any more by then.  `topology`: rebuild views; else only ioeventfds changed.
 */
void transaction_install_commit(void (*commit)(bool topology));

/* The open transaction will need new views, or newly resolved ioeventfds (R-TREE-8, R-EFD-1). */
void transaction_topology_changed(void);
void transaction_ioeventfds_changed(void);

/*
 * Whether this thread is inside a listener's callback.  From `commit` a change
 * is fine: it runs a nested cycle.  From any other it would be applied to a
 * half delivered state, so it is misuse (R-LST-13).
 */
typedef enum {
    CALLBACK_NONE,
    CALLBACK_COMMIT,
    CALLBACK_OTHER,
} CallbackContext;

extern __thread CallbackContext callback_context;

/* Brackets calls of listeners; returns what is to be handed to the other one. */
static inline CallbackContext callback_enter(CallbackContext context)
{
    CallbackContext outer = callback_context;

    callback_context = context;
    return outer;
}

static inline void callback_leave(CallbackContext outer)
{
    callback_context = outer;
}

/* First in every function that changes something; `mr` is whom to name in the message. */
#define transaction_require_change_allowed(mr) \
    do { \
        memcore_require_big_lock("R-TX-1"); \
        memcore_require(callback_context != CALLBACK_OTHER, "R-LST-13", \
                        "region '%s': nothing may be changed from a listener's callback other than commit", \
                        region_label(mr)); \
    } while (0)

#endif
