# SPDX-License-Identifier: GPL-2.0-or-later
# cmake -DLD=... -DOBJCOPY=... -DAR=... -P close_archive.cmake ARCHIVE
# Replaces the members of a static library by one object in which all hidden symbols are local, so that only what the
# public headers declare can meet the names of a program.  Done twice it does nothing more.

math(EXPR last "${CMAKE_ARGC} - 1")
set(archive "${CMAKE_ARGV${last}}")
set(object "${archive}.o")

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result ERROR_VARIABLE error)
    if(NOT result EQUAL 0)
        file(REMOVE "${object}")
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "${archive} keeps its private symbols: ${command}: ${error}\n"
            "  Fix: GNU binutils or LLVM's, and no objects for link-time optimisation (-fno-lto)")
    endif()
endfunction()

run("${LD}" -r -o "${object}" --whole-archive "${archive}")
run("${OBJCOPY}" --localize-hidden "${object}")
file(REMOVE "${archive}")
run("${AR}" qcs "${archive}" "${object}")
file(REMOVE "${object}")
