/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>

#include "hw/qdev-core.h"

static void device_finalize(Object *object)
{
    DeviceState *device = (DeviceState *)object;

    g_free(device->id);
    g_free(device->path);
}

static void replace(char **text, const char *with)
{
    char *copy = g_strdup(with);

    g_free(*text);
    *text = copy;
}

void device_set_id(DeviceState *device, const char *id)
{
    replace(&device->id, id);
}

void device_set_path(DeviceState *device, const char *path)
{
    replace(&device->path, path);
}

char *qdev_get_dev_path(DeviceState *device)
{
    return g_strdup(device->path);
}

static const TypeInfo device_info = {
    .name = TYPE_DEVICE,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(DeviceState),
    .instance_finalize = device_finalize,
    .class_size = sizeof(DeviceClass),
};

static void register_device_type(void)
{
    type_register_static(&device_info);
}

type_init(register_device_type)
