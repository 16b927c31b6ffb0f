#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# With the feature switched off they do not.

# shellcheck source=tests/kernel/dma-continues.sh
. "$(dirname "$0")/dma-continues.sh"
dma_stops legacy nvme
