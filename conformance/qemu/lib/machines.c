/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/lib/machines.h"

/* RAM that is only reserved: a machine with 5 GiB costs nothing. */
#define RAM(bytes) \
    "-object memory-backend-ram,id=ram0,size=" bytes ",reserve=off -machine memory-backend=ram0 -m " bytes " "
#define SHARED "-object memory-backend-ram,id=shared0,size=1M,reserve=off,share=on "

const struct machine machines[] = {
    { "pc", "-machine pc -m 128 -device VGA", CHIPSET_I440FX, 60 },
    { "pc-5G",
      "-machine pc " RAM("5G") SHARED
      "-device VGA -device edu -device pci-testdev -device ivshmem-plain,memdev=shared0 "
      "-device e1000,romfile= -device virtio-rng-pci -device virtio-balloon-pci -device qemu-xhci",
      CHIPSET_I440FX, 60 },
    { "pc-bridges",
      "-machine pc,max-ram-below-4g=1G " RAM("2G")
      "-device cirrus-vga -device pci-bridge,id=b1,chassis_nr=1 "
      "-device pci-bridge,id=b2,bus=b1,addr=5,chassis_nr=2 -device e1000,bus=b1,addr=2,romfile= "
      "-device edu,bus=b1,addr=3 -device pci-testdev,bus=b2,addr=1 -device secondary-vga,bus=b2,addr=2 "
      "-device lsi53c895a,bus=b1,addr=6",
      CHIPSET_I440FX, 60 },
    { "pc-dimms",
      "-machine pc,nvdimm=on -m 256,slots=8,maxmem=8G -smp 2 -device VGA -device rtl8139,romfile= "
      "-device virtio-serial-pci,disable-legacy=on -device ich9-ahci",
      CHIPSET_I440FX, 50 },
    { "q35", "-machine q35 -m 128 -device VGA", CHIPSET_Q35, 50 },
    { "q35-5G",
      "-machine q35 " RAM("5G") SHARED
      "-device VGA -device pcie-root-port,id=rp1,chassis=1,slot=1 "
      "-device pcie-root-port,id=rp2,chassis=2,slot=2 -device e1000e,bus=rp1,romfile= "
      "-device pcie-pci-bridge,id=pb,bus=rp2 -device edu,bus=pb,addr=1 "
      "-device ivshmem-plain,memdev=shared0,bus=pb,addr=2 -device virtio-balloon-pci,disable-legacy=on",
      CHIPSET_Q35, 60 },
    { "q35-iommu",
      "-machine q35 " RAM("3G")
      "-device intel-iommu -device bochs-display -device edu -device e1000,romfile= -device pci-testdev "
      "-device virtio-rng-pci,disable-legacy=on,iommu_platform=on",
      CHIPSET_Q35, 40 },
    { "microvm", "-machine microvm -m 128 -device virtio-rng-device", CHIPSET_NONE, 1 },
    { "microvm-pci",
      "-machine microvm,pcie=on,acpi=on,rtc=on " RAM("5G")
      "-device edu -device e1000,romfile= -device virtio-rng-pci -device pci-testdev",
      CHIPSET_ECAM, 30 },
    { "isapc", "-machine isapc -m 16 -device isa-vga", CHIPSET_ISA, 30 },
    { "isapc-cirrus", "-machine isapc -m 64 -device isa-cirrus-vga", CHIPSET_ISA, 30 },
    { "none", "-machine none", CHIPSET_NONE, 1 },
    { "none-ram", "-machine none -m 64", CHIPSET_NONE, 1 },
};
const size_t machine_count = G_N_ELEMENTS(machines);
