# SPDX-License-Identifier: GPL-2.0-or-later
# FROM/{seeds,regressions} -> TO/ (binary inputs, one flat folder) and ZIP.  `cmake -P`, called by the build.
# A .trace file is packed; for a target that takes any bytes its text is an input too, and so is every other
# file as it is.

file(REMOVE_RECURSE "${TO}")
file(MAKE_DIRECTORY "${TO}")
file(GLOB traces "${FROM}/seeds/*.trace" "${FROM}/regressions/*.trace")
if(traces)
    execute_process(COMMAND "${MEMTRACE}" pack -d "${TO}" ${traces} RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "memtrace pack failed on ${FROM} (${result})")
    endif()
endif()
if(INPUT STREQUAL "bytes")
    file(GLOB others "${FROM}/seeds/*" "${FROM}/regressions/*")
    file(COPY ${others} DESTINATION "${TO}")
endif()

file(GLOB packed RELATIVE "${TO}" "${TO}/*")
list(LENGTH packed count)
if(count EQUAL 0)
    message(FATAL_ERROR "${FROM}: no seeds.\n  Fix: put at least one .trace file into ${FROM}/seeds")
endif()
file(REMOVE "${ZIP}")
execute_process(COMMAND "${CMAKE_COMMAND}" -E tar cf "${ZIP}" --format=zip ${packed}
    WORKING_DIRECTORY "${TO}" RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "cannot write ${ZIP}")
endif()
