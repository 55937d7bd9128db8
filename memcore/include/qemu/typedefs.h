/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the structs that headers pass around by pointer before, or without, defining them. */
#ifndef QEMU_TYPEDEFS_H
#define QEMU_TYPEDEFS_H

typedef struct AddressSpace AddressSpace;
typedef struct DeviceClass DeviceClass;
typedef struct DeviceState DeviceState;
typedef struct DirtyBitmapSnapshot DirtyBitmapSnapshot;
typedef struct Error Error;
typedef struct EventNotifier EventNotifier;
typedef struct FlatView FlatView;
typedef struct IOMMUMemoryRegion IOMMUMemoryRegion;
typedef struct MemoryListener MemoryListener;
typedef struct MemoryRegion MemoryRegion;
typedef struct MemoryRegionCache MemoryRegionCache;
typedef struct MemoryRegionSection MemoryRegionSection;
typedef struct MigrationIncomingState MigrationIncomingState;
typedef struct MigrationState MigrationState;
typedef struct Monitor Monitor;
typedef struct Notifier Notifier;
typedef struct NotifierList NotifierList;
typedef struct Object Object;
typedef struct ObjectClass ObjectClass;
typedef struct QemuMutex QemuMutex;
typedef struct QEMUBH QEMUBH;
typedef struct RAMBlock RAMBlock;
typedef struct RamDiscardManager RamDiscardManager;
typedef struct ReservedRegion ReservedRegion;
typedef struct TypeInfo TypeInfo;

#endif
