# SPDX-License-Identifier: GPL-2.0-or-later
# How every C file of this project is compiled.

set(memcore_warnings -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes)
if(MEMCORE_WERROR)
    list(APPEND memcore_warnings -Werror)
endif()

set(memcore_sanitize "")
if(MEMCORE_SANITIZERS)
    if(MEMCORE_SANITIZERS MATCHES "thread" AND MEMCORE_SANITIZERS MATCHES "address|memory")
        message(FATAL_ERROR "MEMCORE_SANITIZERS=${MEMCORE_SANITIZERS}: thread excludes address and memory.\n"
            "  Fix: one build tree each, for example with the presets dev and tsan")
    endif()
    # A report must stop the program, else a test that prints one still passes.
    set(memcore_sanitize -fsanitize=${MEMCORE_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    string(MAKE_C_IDENTIFIER "MEMCORE_WORKS_${MEMCORE_SANITIZERS}" works)
    try_compile(${works}
        SOURCE_FROM_CONTENT sanitizers.c "int main(void) { return 0; }"
        COMPILE_DEFINITIONS ${memcore_sanitize} LINK_OPTIONS ${memcore_sanitize})
    if(NOT ${works})
        message(FATAL_ERROR "${CMAKE_C_COMPILER} cannot build with -fsanitize=${MEMCORE_SANITIZERS}.\n"
            "  Fix: install its sanitizer runtime (Debian: libclang-rt-14-dev for clang-14, libgcc-12-dev for gcc-12),\n"
            "  or configure with -DMEMCORE_SANITIZERS=")
    endif()
endif()

# By MEMCORE_SANITIZERS, or by CFLAGS, as fuzzing services have it.
try_compile(memcore_has_asan
    SOURCE_FROM_CONTENT asan.c "
        #ifndef __has_feature
        #define __has_feature(feature) 0
        #endif
        #if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer)
        #error not built with AddressSanitizer
        #endif
        int main(void) { return 0; }"
    NO_CACHE COMPILE_DEFINITIONS ${memcore_sanitize} LINK_OPTIONS ${memcore_sanitize})

set(memcore_coverage "")
set(memcore_coverage_definitions "")
if(MEMCORE_COVERAGE)
    # Assertions are no branches (memcore/base/misuse.h).
    set(memcore_coverage_definitions MEMCORE_COVERAGE)
endif()
if(MEMCORE_COVERAGE STREQUAL "MCDC")
    set(memcore_coverage -fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc)
elseif(MEMCORE_COVERAGE)
    # Where the compiler optimizes, g_new() is a macro with branches of its own.
    set(memcore_coverage --coverage -U__OPTIMIZE__)
    # Inlined by force, each copy of a function would count by itself, with all branches that its arguments rule out.
    list(APPEND memcore_coverage_definitions always_inline=)
endif()
set(memcore_coverage_exit "${PROJECT_SOURCE_DIR}/ci/lib/coverage_exit.c")

# What the engine needs in code whose coverage steers it.  AFL++'s compiler wrapper adds its own; in the
# `external` engine (OSS-Fuzz) CFLAGS bring it.
set(memcore_steer "")
if(FUZZ_ENGINE STREQUAL "libfuzzer")
    set(memcore_steer -fsanitize=fuzzer-no-link)
endif()

# memcore_compile(TARGET [PLAIN] [UNSTEERED]): warnings, sanitizers, coverage.
# UNSTEERED: its edges never steer an engine.
# PLAIN: code that drives the core but is not under test.  In a fuzzing build it is neither sanitized nor
# instrumented unless HARNESS_INSTRUMENT is on: its edges would be noise to the engine, its checks cost speed.
# The dev build checks it in full.
function(memcore_compile target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "PLAIN;UNSTEERED" "" "")
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE ${memcore_coverage_definitions})
    target_compile_options(${target} PRIVATE ${memcore_warnings} ${memcore_coverage})
    target_link_options(${target} PUBLIC ${memcore_sanitize} ${memcore_coverage})
    get_target_property(type ${target} TYPE)
    if(memcore_coverage AND type STREQUAL "EXECUTABLE")
        target_sources(${target} PRIVATE "${memcore_coverage_exit}")
        if(MEMCORE_COVERAGE STREQUAL "MCDC")
            set_property(SOURCE "${memcore_coverage_exit}" PROPERTY COMPILE_DEFINITIONS MEMCORE_COVERAGE_MCDC)
        endif()
    endif()
    if(arg_PLAIN AND NOT HARNESS_INSTRUMENT AND NOT FUZZ_ENGINE STREQUAL "none")
        # After -fsanitize=... of CFLAGS this takes sanitizers and coverage out again.
        target_compile_options(${target} PRIVATE $<$<C_COMPILER_ID:Clang>:-fno-sanitize=all>)
        if(CMAKE_C_COMPILER MATCHES "afl-")
            set_target_properties(${target} PROPERTIES C_COMPILER_LAUNCHER "${CMAKE_COMMAND};-E;env;AFL_NOOPT=1")
        endif()
    elseif(arg_UNSTEERED)
        target_compile_options(${target} PRIVATE ${memcore_sanitize})
    else()
        target_compile_options(${target} PRIVATE ${memcore_sanitize} ${memcore_steer})
    endif()
endfunction()

# memcore_split(FOLDER PROGRAMS HELPERS): the .c files of FOLDER with a main(), and those without.
function(memcore_split folder programs helpers)
    file(GLOB files CONFIGURE_DEPENDS "${folder}/*.c")
    set(with "")
    set(without "")
    foreach(file IN LISTS files)
        file(STRINGS "${file}" main REGEX "^int main\\(" LIMIT_COUNT 1)
        if(main)
            list(APPEND with "${file}")
        else()
            list(APPEND without "${file}")
        endif()
    endforeach()
    set(${programs} "${with}" PARENT_SCOPE)
    set(${helpers} "${without}" PARENT_SCOPE)
endfunction()

# What tests run with.  Reports become failures; glib's slices must not hide use-after-free (glib < 2.76).
set(memcore_test_environment
    "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:quarantine_size_mb=32:strict_string_checks=1"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "G_SLICE=always-malloc")

# What g_test_rand_int() starts from: a test that fails must fail again.  The programs by themselves choose another
# seed each time and print it; --seed=S repeats one.
set(memcore_test_seed "R02S00000000000000000000000000000001")

# memcore_test_programs(FOLDER PREFIX LIBRARIES...): every program of FOLDER is one ctest test PREFIX.NAME.
function(memcore_test_programs folder prefix)
    memcore_split("${folder}" programs helpers)
    foreach(program IN LISTS programs)
        get_filename_component(name "${program}" NAME_WE)
        add_executable(${prefix}.${name} "${program}" ${helpers})
        memcore_compile(${prefix}.${name})
        target_link_libraries(${prefix}.${name} PRIVATE ${ARGN} test_paths)
        add_test(NAME ${prefix}.${name} COMMAND ${prefix}.${name} --seed=${memcore_test_seed})
        set_tests_properties(${prefix}.${name} PROPERTIES
            LABELS unit TIMEOUT 300 ENVIRONMENT "${memcore_test_environment}")
    endforeach()
endfunction()
