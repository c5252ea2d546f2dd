// Pictures of a survey: for a terminal, as SVG, as JSON; and for the linker.
#ifndef MOLT_CMD_MAP_VIEW_H
#define MOLT_CMD_MAP_VIEW_H

#include <stdio.h>

#include "survey.h"

// What is in a piece, a few words.
const char *map_view_about(const survey_t *survey, const molt_partition_t *piece);

// A cell for each sector, then a line for each region. Colour and blocks on a terminal, else letters.
//   title  of the picture: the dump's name, or NULL
void map_view_text(const survey_t *survey, const char *title);

void map_view_json(FILE *out, const survey_t *survey);

// An SVG file on its own: the whole flash as a bar and, where that is larger, the mapped part magnified.
void map_view_svg(FILE *out, const survey_t *survey, const char *title);

// The linker script with which the esp8266 port of MicroPython builds for this map.
void map_view_ld(FILE *out, const survey_t *survey);

#endif
