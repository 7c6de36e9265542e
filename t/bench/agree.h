
/*
 * Copyright (C) order guard contributors
 *
 * That the yardstick is no shorter than it should be.
 */


#ifndef AGREE_H_INCLUDED_
#define AGREE_H_INCLUDED_


#include <stddef.h>


/*
 * How many bodies of t/unit/json the cutter and the yardstick judge
 * differently, apart from what yardstick.h says; each is printed.
 */
size_t agree_on_cases(void);


#endif /* AGREE_H_INCLUDED_ */
