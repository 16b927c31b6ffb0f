// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The formats that there are, by number. */
#include "iommu/format.h"

const struct entry_format *entry_format(enum table_stage stage)
{
	static const struct entry_format *const formats[STAGE_COUNT] = {
		[STAGE_NONE] = &vtd_second_stage,   [STAGE_FIRST] = &vtd_first_stage,
		[STAGE_SECOND] = &vtd_second_stage, [STAGE_NESTED] = &vtd_second_stage,
		[STAGE_HOST] = &amd_host,
	};

	return formats[stage < STAGE_COUNT ? stage : STAGE_NONE];
}

const struct device_format *device_format(enum table_mode mode)
{
	static const struct device_format *const formats[MODE_COUNT] = {
		[MODE_LEGACY] = &vtd_legacy,
		[MODE_SCALABLE] = &vtd_scalable,
		[MODE_AMD] = &amd_device,
	};

	return formats[mode < MODE_COUNT ? mode : MODE_SCALABLE];
}

const struct unit_format *unit_format(enum pt_format format)
{
	static const struct unit_format *const formats[PT_FORMAT_COUNT] = {
		[PT_FORMAT_VTD] = &vtd_unit,
		[PT_FORMAT_AMD] = &amd_unit,
	};

	return formats[format < PT_FORMAT_COUNT ? format : PT_FORMAT_VTD];
}
