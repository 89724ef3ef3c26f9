/* Part of iphelper, MIT OR Apache-2.0. */
#ifndef _WINDEF_
#define _WINDEF_

#include <minwindef.h>

#endif
