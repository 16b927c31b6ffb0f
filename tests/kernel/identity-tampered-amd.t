#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A change of what the IOMMU walks is found and decoded: AMD's device table and host
# page tables.

# shellcheck source=tests/kernel/identity-tampered.sh
. "$(dirname "$0")/identity-tampered.sh"
identity_tampered amd
