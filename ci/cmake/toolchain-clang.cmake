# SPDX-License-Identifier: GPL-2.0-or-later
# Presets that need clang (libFuzzer, TSan) find it here, whatever its name is.  $CC and $CXX win.

if(DEFINED ENV{CC} AND NOT "$ENV{CC}" STREQUAL "")
    if(NOT "$ENV{CC}" MATCHES "clang")
        message(FATAL_ERROR "This preset needs clang, but CC=$ENV{CC} is set.\n"
            "  Fix: unset CC (and CXX), or set CC=clang-14 CXX=clang++-14")
    endif()
else()
    set(clang_names clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14)
    find_program(MEMCORE_CLANG NAMES ${clang_names} DOC "clang >= 14")
    if(NOT MEMCORE_CLANG)
        message(FATAL_ERROR "This preset needs clang >= 14, and none was found.\n"
            "  Fix: apt-get install --no-install-recommends clang-14 llvm-14 libclang-rt-14-dev, or set CC and CXX")
    endif()
    string(REGEX REPLACE "clang([-0-9]*)$" "clang++\\1" clangxx "${MEMCORE_CLANG}")
    set(CMAKE_C_COMPILER "${MEMCORE_CLANG}")
    set(CMAKE_CXX_COMPILER "${clangxx}")
endif()
