/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices, as far as memory regions care: owners whose RAM blocks get a name (R-RAM-13). */
#ifndef HW_QDEV_CORE_H
#define HW_QDEV_CORE_H

#include "qom/object.h"

#pragma GCC visibility push(default)

#define TYPE_DEVICE "device"

struct DeviceClass {
    ObjectClass parent_class;
};

struct DeviceState {
    Object parent_obj;
    /* both owned by the device, NULL until set */
    char *id;               /* the user's name for it */
    char *path;             /* its place on the bus, unique in the machine: begins its blocks' id strings */
};

DECLARE_OBJ_CHECKERS(DeviceState, DeviceClass, DEVICE, TYPE_DEVICE)

/* Copy the text; NULL removes it. */
void device_set_id(DeviceState *device, const char *id);
void device_set_path(DeviceState *device, const char *path);

/* A copy of the path, to be freed with free(); NULL without one. */
char *qdev_get_dev_path(DeviceState *device);

/* "/machine", the object under which devices hang. */
Object *qdev_get_machine(void);

#pragma GCC visibility pop

#endif
