/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fuzz targets: each file here is a program of libFuzzer's, linked with lutrace. An input
 * may be refused, or shown; what a sanitizer says of either is a fault.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "model/evidence.h"
#include "model/handover.h"

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed);

int fuzz_file(const uint8_t *data, size_t size, char path[32]);
void fuzz_show(const struct handover *handover, const struct evidence *evidence);

#endif /* TESTS_FUZZ_H */
