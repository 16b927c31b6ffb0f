// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "model/config.h"

/**
 * config_option - the value of an option
 * @config: text of the configuration, NULL if it is not known
 * @option: without "CONFIG_"
 *
 * Return: 'y' (also for a number or a text), 'm', 'n', or 0 if the configuration is not
 * known.
 */
char config_option(const char *config, const char *option)
{
	const char *found = config;
	char word[80];
	size_t length;

	if (!config)
		return 0;
	length = (size_t)snprintf(word, sizeof(word), "CONFIG_%s=", option);
	while ((found = strstr(found, word)) && found != config && found[-1] != '\n')
		found += length;
	if (!found)
		return 'n';
	return found[length] == 'm' || found[length] == 'n' ? found[length] : 'y';
}
