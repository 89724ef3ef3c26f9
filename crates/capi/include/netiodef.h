/* Part of iphelper, MIT OR Apache-2.0. */
#ifndef _NETIODEF_
#define _NETIODEF_

#include <ws2ipdef.h>

#endif
