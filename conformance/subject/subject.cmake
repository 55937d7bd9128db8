# SPDX-License-Identifier: GPL-2.0-or-later
# An example of what -DHARNESS_SUBJECT=DIR reads: where the implementation under test is.  It has to make the
# target subject_api with the implementation's include folders and libraries.  Here: an installed memcore, found
# by CMAKE_PREFIX_PATH, as if it were somebody else's.
find_package(memcore REQUIRED)
add_library(subject_api INTERFACE)
target_link_libraries(subject_api INTERFACE memcore::memcore)
