/* Part of iphelper, MIT OR Apache-2.0. */
/* Output is UTF-8 always, so that a program's choice of a translation changes nothing. */
#ifndef _INC_IO
#define _INC_IO

#include <stdio.h>

#define _O_TEXT 0x4000
#define _O_BINARY 0x8000
#define _O_WTEXT 0x10000
#define _O_U16TEXT 0x20000
#define _O_U8TEXT 0x40000

extern int iphelper_host_fileno(FILE *) __asm__("fileno");
#define _fileno iphelper_host_fileno

static __inline__ int _setmode(int descriptor, int mode)
{
    (void)descriptor;
    (void)mode;
    return _O_TEXT;
}

#endif
