# SPDX-License-Identifier: GPL-2.0-or-later
# Read after project() in the copies of the sources that bugs are put into, and nowhere else (ci/lib/hunt.py).
add_compile_options("$<$<COMPILE_LANGUAGE:C>:SHELL:-include '${CMAKE_CURRENT_LIST_DIR}/../lib/museum.h'>")
