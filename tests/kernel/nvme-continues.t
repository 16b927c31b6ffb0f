#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A disk's commands go on through a live update, in flight: scalable mode.
# Completions of one queue are polled for, those of the other signal with MSI-X.

# shellcheck source=tests/kernel/dma-continues.sh
. "$(dirname "$0")/dma-continues.sh"
dma_continues scalable second-stage nvme
