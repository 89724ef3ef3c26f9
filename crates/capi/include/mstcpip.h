/* Part of iphelper, MIT OR Apache-2.0. */
/* Programs include this for what ip2string.h declares. */
#ifndef _MSTCPIP_
#define _MSTCPIP_

#include <ip2string.h>

/* Named by Windows' header; no function of these libraries takes or gives them. */
typedef struct _INET_PORT_RANGE {
    USHORT StartPort;
    USHORT NumberOfPorts;
} INET_PORT_RANGE, *PINET_PORT_RANGE, INET_PORT_RESERVATION, *PINET_PORT_RESERVATION;

typedef struct _INET_PORT_RESERVATION_INFORMATION {
    ULONG OwningPid;
} INET_PORT_RESERVATION_INFORMATION, *PINET_PORT_RESERVATION_INFORMATION;

typedef struct _INET_PORT_RESERVATION_TOKEN {
    ULONG64 Token;
} INET_PORT_RESERVATION_TOKEN, *PINET_PORT_RESERVATION_TOKEN;

typedef struct _INET_PORT_RESERVATION_INSTANCE {
    INET_PORT_RESERVATION Reservation;
    INET_PORT_RESERVATION_TOKEN Token;
} INET_PORT_RESERVATION_INSTANCE, *PINET_PORT_RESERVATION_INSTANCE;

#endif
