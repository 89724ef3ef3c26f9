/* Part of iphelper, MIT OR Apache-2.0. */
/* Programs that parse network strings include this before iphlpapi.h. */
#ifndef _WINDNS_INCLUDED_
#define _WINDNS_INCLUDED_

#include <windef.h>

/* Characters of a name, the terminator counted. */
#define DNS_MAX_NAME_BUFFER_LENGTH 256

#endif
