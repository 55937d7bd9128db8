#!/bin/bash -eu
# SPDX-License-Identifier: GPL-2.0-or-later
# The service calls this with its environment set; everything is in the script that people run too.
exec "$SRC/memcore/ci/oss-fuzz-build"
