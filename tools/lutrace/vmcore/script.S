/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The script that drgn runs (vmcore_explore.c), as text that ends with a 0. */

	.section .rodata

	.globl vmcore_script
	.type vmcore_script, @object
vmcore_script:
	.incbin "explore.py"
	.byte 0
	.size vmcore_script, . - vmcore_script

	.section .note.GNU-stack, "", @progbits
