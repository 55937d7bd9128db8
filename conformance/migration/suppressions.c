/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ThreadSanitizer must not report in the programs of this folder, and why. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return
        /* Locks that glib makes when they are first used, which it cannot follow: glib is not built with it. */
        "race:g_rw_lock_reader_lock\n"
        "race:g_rw_lock_writer_lock\n"
        /* A page is read while the guest writes to it: it is dirty again, what was read is thrown away (R-SAVE-4). */
        "race:zero_page_test\n"
        "race:write_all\n";
}
#endif
#endif
