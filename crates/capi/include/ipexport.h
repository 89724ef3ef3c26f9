/* Part of iphelper, MIT OR Apache-2.0. */
/* IPv4 addresses as numbers, in network order; adapters by index. */
#ifndef _IPEXPORT_H_
#define _IPEXPORT_H_

#include <windef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MAX_ADAPTER_NAME 128

typedef ULONG IPAddr;
typedef ULONG IPMask;

typedef struct _IP_ADAPTER_INDEX_MAP {
    ULONG Index;
    WCHAR Name[MAX_ADAPTER_NAME];
} IP_ADAPTER_INDEX_MAP, *PIP_ADAPTER_INDEX_MAP;

typedef struct _IP_INTERFACE_INFO {
    LONG NumAdapters;
    IP_ADAPTER_INDEX_MAP Adapter[1];
} IP_INTERFACE_INFO, *PIP_INTERFACE_INFO;

typedef struct _IP_UNIDIRECTIONAL_ADAPTER_ADDRESS {
    ULONG NumAdapters;
    IPAddr Address[1];
} IP_UNIDIRECTIONAL_ADAPTER_ADDRESS, *PIP_UNIDIRECTIONAL_ADAPTER_ADDRESS;

typedef struct _IP_ADAPTER_ORDER_MAP {
    ULONG NumAdapters;
    ULONG AdapterOrder[1];
} IP_ADAPTER_ORDER_MAP, *PIP_ADAPTER_ORDER_MAP;

#ifdef __cplusplus
}
#endif

#endif
