# SPDX-License-Identifier: GPL-2.0-or-later
# memcore_glib (for the harness) and memcore_dependencies (for memcore: glib and liburcu, its memb flavour).

find_package(PkgConfig)
if(NOT PKG_CONFIG_FOUND)
    message(FATAL_ERROR "pkg-config was not found.\n  Fix: apt-get install pkg-config")
endif()
# 2.64 and 0.11 are what OSS-Fuzz's oldest images have.
pkg_check_modules(MEMCORE_GLIB IMPORTED_TARGET glib-2.0>=2.64)
if(NOT MEMCORE_GLIB_FOUND)
    message(FATAL_ERROR "glib-2.0 (>= 2.64) was not found by pkg-config.\n"
        "  Fix: apt-get install --no-install-recommends libglib2.0-dev")
endif()
if(NOT HARNESS_SUBJECT)
    pkg_check_modules(MEMCORE_URCU IMPORTED_TARGET liburcu>=0.11)
    if(NOT MEMCORE_URCU_FOUND)
        message(FATAL_ERROR "liburcu (>= 0.11) was not found by pkg-config.\n"
            "  Fix: apt-get install --no-install-recommends liburcu-dev")
    endif()
endif()

# memcore_archive(VARIABLE FILE PACKAGE): the path of a static archive, by hand, because `pkg-config --static`
# mixes flavours of liburcu and shared libraries.
function(memcore_archive variable file package)
    find_library(${variable} "${file}")
    if(NOT ${variable})
        message(FATAL_ERROR "MEMCORE_STATIC_DEPENDENCIES: ${file} was not found.\n"
            "  Fix: apt-get install --no-install-recommends ${package}")
    endif()
endfunction()

add_library(memcore_glib INTERFACE)
add_library(memcore_dependencies INTERFACE)
if(MEMCORE_STATIC_DEPENDENCIES)
    memcore_archive(MEMCORE_GLIB_A libglib-2.0.a libglib2.0-dev)
    # glib of Debian 12 and Ubuntu 24.04 wants PCRE2, that of Ubuntu 20.04 and 22.04 PCRE.
    find_library(MEMCORE_PCRE_A libpcre.a)
    set(pcre "${MEMCORE_PCRE_A}")
    if(NOT MEMCORE_PCRE_A OR MEMCORE_GLIB_VERSION VERSION_GREATER_EQUAL 2.74)
        memcore_archive(MEMCORE_PCRE2_A libpcre2-8.a libpcre2-dev)
        set(pcre "${MEMCORE_PCRE2_A}")
    endif()
    target_include_directories(memcore_glib SYSTEM INTERFACE ${MEMCORE_GLIB_INCLUDE_DIRS})
    target_link_libraries(memcore_glib INTERFACE "${MEMCORE_GLIB_A}" "${pcre}" -pthread -lm)
    if(NOT HARNESS_SUBJECT)
        memcore_archive(MEMCORE_URCU_A liburcu.a liburcu-dev)
        memcore_archive(MEMCORE_URCU_COMMON_A liburcu-common.a liburcu-dev)
        target_include_directories(memcore_dependencies SYSTEM INTERFACE ${MEMCORE_URCU_INCLUDE_DIRS})
        target_link_libraries(memcore_dependencies INTERFACE
            "${MEMCORE_URCU_A}" "${MEMCORE_URCU_COMMON_A}" memcore_glib)
    endif()
else()
    target_link_libraries(memcore_glib INTERFACE PkgConfig::MEMCORE_GLIB -pthread)
    if(NOT HARNESS_SUBJECT)
        target_link_libraries(memcore_dependencies INTERFACE memcore_glib PkgConfig::MEMCORE_URCU)
    endif()
endif()
