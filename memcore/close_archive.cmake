# SPDX-License-Identifier: GPL-2.0-or-later
# cmake -DLD=... -DOBJCOPY=... -DAR=... -P close_archive.cmake ARCHIVE
# Replaces the members of a static library by one object in which all hidden symbols are local, so that only what the
# public headers declare can meet the names of a program.  Done twice it does nothing more.  Where it cannot be done the
# library stays as it is, and works; install.consumer tells the difference.

math(EXPR last "${CMAKE_ARGC} - 1")
set(archive "${CMAKE_ARGV${last}}")
set(object "${archive}.o")
set(trouble "")

foreach(command "${LD};-r;-o;${object};--whole-archive;${archive}" "${OBJCOPY};--localize-hidden;${object}")
    if(NOT trouble)
        execute_process(COMMAND ${command} RESULT_VARIABLE result ERROR_VARIABLE error)
        if(NOT result EQUAL 0)
            list(JOIN command " " shown)
            set(trouble "${shown}: ${result} ${error}")
        endif()
    endif()
endforeach()
if(NOT trouble)
    # Such an object gets its symbols when the program is linked.
    file(STRINGS "${object}" lto REGEX "gnu\\.lto_" LIMIT_COUNT 1)
    if(lto)
        set(trouble "it was compiled for link-time optimisation")
    endif()
endif()

if(trouble)
    file(REMOVE "${object}")
    message(WARNING "${archive} keeps its private names, which may meet a program's: ${trouble}\n"
        "  Fix: GNU binutils or LLVM's as linker and objcopy, and -fno-lto")
else()
    file(REMOVE "${archive}")
    execute_process(COMMAND "${AR}" qcs "${archive}" "${object}" COMMAND_ERROR_IS_FATAL ANY)
    file(REMOVE "${object}")
endif()
