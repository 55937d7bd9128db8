/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HARNESS_MEMTRACE_RESTART_H
#define HARNESS_MEMTRACE_RESTART_H

/*
 * For commands that play thousands of crashing attempts: restarts this process, once, with sanitizers told
 * not to resolve addresses to lines, which takes most of such an attempt's time.  Sanitizers read their
 * options at the start only.  Returns where that cannot be done: slower, not worse.
 */
void restart_without_symbols(void);

/* For a child that is to explain one crash: addresses are resolved again after this. */
void restart_with_symbols_in_child(void);

#endif
