# SPDX-License-Identifier: GPL-2.0-or-later
# The afl preset: AFL++'s compiler wrapper.  $CC and $CXX win (OSS-Fuzz sets them).

if(DEFINED ENV{CC} AND NOT "$ENV{CC}" STREQUAL "")
    if(NOT "$ENV{CC}" MATCHES "afl-")
        message(FATAL_ERROR "This preset needs afl-clang-fast, but CC=$ENV{CC} is set.\n"
            "  Fix: unset CC (and CXX), or set CC=afl-clang-fast CXX=afl-clang-fast++")
    endif()
else()
    find_program(MEMCORE_AFL_CC NAMES afl-clang-fast DOC "compiler wrapper of AFL++")
    if(NOT MEMCORE_AFL_CC)
        message(FATAL_ERROR "This preset needs AFL++ (afl-clang-fast), and it was not found.\n"
            "  Fix: apt-get install --no-install-recommends afl++, or set CC and CXX")
    endif()
    set(CMAKE_C_COMPILER "${MEMCORE_AFL_CC}")
    set(CMAKE_CXX_COMPILER "${MEMCORE_AFL_CC}++")
endif()
