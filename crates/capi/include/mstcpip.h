/* Part of iphelper, MIT OR Apache-2.0. */
/* Programs include this for what ip2string.h declares. */
#ifndef _MSTCPIP_
#define _MSTCPIP_

#include <ip2string.h>

#endif
