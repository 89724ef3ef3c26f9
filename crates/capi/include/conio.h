/* Part of iphelper, MIT OR Apache-2.0. */
/* Keys come by lines, as the host's terminal gives them. */
#ifndef _INC_CONIO
#define _INC_CONIO

#include <stdio.h>

#define _getch getchar

#endif
