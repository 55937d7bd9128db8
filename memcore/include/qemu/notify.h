/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of callbacks. */
#ifndef QEMU_NOTIFY_H
#define QEMU_NOTIFY_H

#include <stdbool.h>

#include "qemu/rcu.h"
#include "qemu/typedefs.h"

#pragma GCC visibility push(default)

struct Notifier {
    void (*notify)(Notifier *notifier, void *data);
    /* private: */
    struct cds_list_head node;
};

struct NotifierList {
    /* private: */
    struct cds_list_head notifiers;
};

#define NOTIFIER_LIST_INITIALIZER(list) { .notifiers = CDS_LIST_HEAD_INIT((list).notifiers) }

/* Lists take no lock: whoever uses one from several threads brings his own. */
void notifier_list_init(NotifierList *list);
bool notifier_list_empty(NotifierList *list);

/* The notifier stays the caller's; the newest is called first. */
void notifier_list_add(NotifierList *list, Notifier *notifier);
void notifier_remove(Notifier *notifier);

/* Calls them all; each may remove itself while it is called. */
void notifier_list_notify(NotifierList *list, void *data);

#pragma GCC visibility pop

#endif
