/* Part of iphelper, MIT OR Apache-2.0. */
/* IPv4 addresses as numbers, in network order. */
#ifndef _IPEXPORT_H_
#define _IPEXPORT_H_

#include <windef.h>

typedef ULONG IPAddr;
typedef ULONG IPMask;

#endif
