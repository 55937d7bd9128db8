/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bits of PostcopyHostAbilities that postcopy looks at: Linux's numbers, which are part of its interface. */
#ifndef MEMCORE_MIGRATION_POSTCOPY_UFFD_H
#define MEMCORE_MIGRATION_POSTCOPY_UFFD_H

#define UFFD_MISSING_HUGETLBFS (1ull << 4)
#define UFFD_THREAD_ID (1ull << 8)

#define UFFD_CAN_REGISTER (1ull << 0x00)
#define UFFD_CAN_UNREGISTER (1ull << 0x01)
#define UFFD_CAN_WAKE (1ull << 0x02)
#define UFFD_CAN_COPY (1ull << 0x03)
#define UFFD_CAN_ZEROPAGE (1ull << 0x04)

#define UFFD_NEEDS (UFFD_CAN_REGISTER | UFFD_CAN_UNREGISTER)
#define UFFD_RANGE_NEEDS (UFFD_CAN_WAKE | UFFD_CAN_COPY | UFFD_CAN_ZEROPAGE)

#endif
