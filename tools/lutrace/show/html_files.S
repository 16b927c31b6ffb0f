/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files that a page holds, each as text that ends with a 0. */

	.section .rodata

	.globl html_style
	.type html_style, @object
html_style:
	.incbin "html.css"
	.byte 0
	.size html_style, . - html_style

	.globl html_script
	.type html_script, @object
html_script:
	.incbin "html.js"
	.byte 0
	.size html_script, . - html_script

	/* from the Makefile */
	.globl html_script_sha256
	.type html_script_sha256, @object
html_script_sha256:
	.asciz HTML_SCRIPT_SHA256
	.size html_script_sha256, . - html_script_sha256

	.section .note.GNU-stack, "", @progbits
