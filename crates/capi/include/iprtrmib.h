/* Part of iphelper, MIT OR Apache-2.0. */
/* Which table, and what is told of the program behind a connection. */
#ifndef _IPRTRMIB_H_
#define _IPRTRMIB_H_

#include <ifmib.h>
#include <ipinfoid.h>
#include <ipmib.h>
#include <tcpmib.h>
#include <udpmib.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum _TCP_TABLE_CLASS {
    TCP_TABLE_BASIC_LISTENER = 0,
    TCP_TABLE_BASIC_CONNECTIONS = 1,
    TCP_TABLE_BASIC_ALL = 2,
    TCP_TABLE_OWNER_PID_LISTENER = 3,
    TCP_TABLE_OWNER_PID_CONNECTIONS = 4,
    TCP_TABLE_OWNER_PID_ALL = 5,
    TCP_TABLE_OWNER_MODULE_LISTENER = 6,
    TCP_TABLE_OWNER_MODULE_CONNECTIONS = 7,
    TCP_TABLE_OWNER_MODULE_ALL = 8
} TCP_TABLE_CLASS, *PTCP_TABLE_CLASS;

typedef enum _UDP_TABLE_CLASS {
    UDP_TABLE_BASIC = 0,
    UDP_TABLE_OWNER_PID = 1,
    UDP_TABLE_OWNER_MODULE = 2
} UDP_TABLE_CLASS, *PUDP_TABLE_CLASS;

typedef enum _TCPIP_OWNER_MODULE_INFO_CLASS {
    TCPIP_OWNER_MODULE_INFO_BASIC = 0
} TCPIP_OWNER_MODULE_INFO_CLASS, *PTCPIP_OWNER_MODULE_INFO_CLASS;

/* The strings stand behind this structure in the caller's buffer. */
typedef struct _TCPIP_OWNER_MODULE_BASIC_INFO {
    PWCHAR pModuleName;
    PWCHAR pModulePath;
} TCPIP_OWNER_MODULE_BASIC_INFO, *PTCPIP_OWNER_MODULE_BASIC_INFO;

/* Named by Windows' header; no function of these libraries takes or gives them. */
#define IPRTRMGR_PID 10000
#define IF_NUMBER 0
#define IF_TABLE 1
#define IF_ROW 2
#define IP_STATS 3
#define IP_ADDRTABLE 4
#define IP_ADDRROW 5
#define IP_FORWARDNUMBER 6
#define IP_FORWARDTABLE 7
#define IP_FORWARDROW 8
#define IP_NETTABLE 9
#define IP_NETROW 10
#define ICMP_STATS 11
#define TCP_STATS 12
#define TCP_TABLE 13
#define TCP_ROW 14
#define UDP_STATS 15
#define UDP_TABLE 16
#define UDP_ROW 17
#define MCAST_MFE 18
#define MCAST_MFE_STATS 19
#define BEST_IF 20
#define BEST_ROUTE 21
#define PROXY_ARP 22
#define MCAST_IF_ENTRY 23
#define MCAST_GLOBAL 24
#define IF_STATUS 25
#define MCAST_BOUNDARY 26
#define MCAST_SCOPE 27
#define DEST_MATCHING 28
#define DEST_LONGER 29
#define DEST_SHORTER 30
#define ROUTE_MATCHING 31
#define ROUTE_LONGER 32
#define ROUTE_SHORTER 33
#define ROUTE_STATE 34
#define MCAST_MFE_STATS_EX 35
#define IP6_STATS 36
#define UDP6_STATS 37
#define TCP6_STATS 38
#define MIB_SECURITY_TCP_SYN_ATTACK 1
#define NUMBER_OF_EXPORTED_VARIABLES 39
#define MAX_SCOPE_NAME_LEN 255
#define MAX_MIB_OFFSET 8

typedef struct _MIB_BEST_IF {
    DWORD dwDestAddr;
    DWORD dwIfIndex;
} MIB_BEST_IF, *PMIB_BEST_IF;

typedef struct _MIB_BOUNDARYROW {
    DWORD dwGroupAddress;
    DWORD dwGroupMask;
} MIB_BOUNDARYROW, *PMIB_BOUNDARYROW;

typedef struct _MIB_IFSTATUS {
    DWORD dwIfIndex;
    DWORD dwAdminStatus;
    DWORD dwOperationalStatus;
    BOOL bMHbeatActive;
    BOOL bMHbeatAlive;
} MIB_IFSTATUS, *PMIB_IFSTATUS;

typedef struct _MIB_IPDESTROW {
    MIB_IPFORWARDROW ForwardRow;
    DWORD dwForwardPreference;
    DWORD dwForwardViewSet;
} MIB_IPDESTROW, *PMIB_IPDESTROW;

typedef struct _MIB_IPDESTTABLE {
    DWORD dwNumEntries;
    MIB_IPDESTROW table[1];
} MIB_IPDESTTABLE, *PMIB_IPDESTTABLE;

typedef struct _MIB_IPMCAST_BOUNDARY {
    DWORD dwIfIndex;
    DWORD dwGroupAddress;
    DWORD dwGroupMask;
    DWORD dwStatus;
} MIB_IPMCAST_BOUNDARY, *PMIB_IPMCAST_BOUNDARY;

typedef struct _MIB_IPMCAST_BOUNDARY_TABLE {
    DWORD dwNumEntries;
    MIB_IPMCAST_BOUNDARY table[1];
} MIB_IPMCAST_BOUNDARY_TABLE, *PMIB_IPMCAST_BOUNDARY_TABLE;

typedef WCHAR SN_CHAR;
typedef SN_CHAR SCOPE_NAME_BUFFER[MAX_SCOPE_NAME_LEN + 1], *SCOPE_NAME;

typedef struct _MIB_IPMCAST_SCOPE {
    DWORD dwGroupAddress;
    DWORD dwGroupMask;
    SCOPE_NAME_BUFFER snNameBuffer;
    DWORD dwStatus;
} MIB_IPMCAST_SCOPE, *PMIB_IPMCAST_SCOPE;

typedef struct _MIB_MCAST_LIMIT_ROW {
    DWORD dwTtl;
    DWORD dwRateLimit;
} MIB_MCAST_LIMIT_ROW, *PMIB_MCAST_LIMIT_ROW;

typedef struct _MIB_OPAQUE_INFO {
    DWORD dwId;
    __extension__ union {
        ULONGLONG ullAlign;
        BYTE rgbyData[1];
    };
} MIB_OPAQUE_INFO, *PMIB_OPAQUE_INFO;

typedef struct _MIB_OPAQUE_QUERY {
    DWORD dwVarId;
    DWORD rgdwVarIndex[1];
} MIB_OPAQUE_QUERY, *PMIB_OPAQUE_QUERY;

typedef struct _MIB_PROXYARP {
    DWORD dwAddress;
    DWORD dwMask;
    DWORD dwIfIndex;
} MIB_PROXYARP, *PMIB_PROXYARP;

typedef struct _MIB_ROUTESTATE {
    BOOL bRoutesSetToStack;
} MIB_ROUTESTATE, *PMIB_ROUTESTATE;

#ifdef __cplusplus
}
#endif

#endif
