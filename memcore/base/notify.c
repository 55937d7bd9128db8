/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/notify.h"

void notifier_list_init(NotifierList *list)
{
    CDS_INIT_LIST_HEAD(&list->notifiers);
}

bool notifier_list_empty(NotifierList *list)
{
    return cds_list_empty(&list->notifiers);
}

void notifier_list_add(NotifierList *list, Notifier *notifier)
{
    cds_list_add(&notifier->node, &list->notifiers);
}

void notifier_remove(Notifier *notifier)
{
    cds_list_del(&notifier->node);
}

void notifier_list_notify(NotifierList *list, void *data)
{
    Notifier *notifier, *next;

    cds_list_for_each_entry_safe(notifier, next, &list->notifiers, node) {
        notifier->notify(notifier, data);
    }
}
