
/*
 * Copyright (C) order guard contributors
 *
 * Whether what came out is strict JSON, by the cutter and by jansson.
 */


#ifndef STRICT_H_INCLUDED_
#define STRICT_H_INCLUDED_


#include <stddef.h>

#include <jansson.h>


/* Of at most 64 levels. */
int is_strict(const char *text, size_t len);

/* NULL where a number is beyond a double, which JSON allows. */
json_t *load_strict(const char *text, size_t len);


#endif /* STRICT_H_INCLUDED_ */
