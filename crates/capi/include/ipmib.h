/* Part of iphelper, MIT OR Apache-2.0. */
/* Numbers of the IP group of the management base. */
#ifndef _IPMIB_
#define _IPMIB_

#include <ifmib.h>
#include <nldef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum _MIB_IPFORWARD_TYPE {
    MIB_IPROUTE_TYPE_OTHER = 1,
    MIB_IPROUTE_TYPE_INVALID = 2,
    MIB_IPROUTE_TYPE_DIRECT = 3,
    MIB_IPROUTE_TYPE_INDIRECT = 4
} MIB_IPFORWARD_TYPE, *PMIB_IPFORWARD_TYPE;

typedef enum _MIB_IPNET_TYPE {
    MIB_IPNET_TYPE_OTHER = 1,
    MIB_IPNET_TYPE_INVALID = 2,
    MIB_IPNET_TYPE_DYNAMIC = 3,
    MIB_IPNET_TYPE_STATIC = 4
} MIB_IPNET_TYPE, *PMIB_IPNET_TYPE;

typedef enum _MIB_IPSTATS_FORWARDING {
    MIB_IP_FORWARDING = 1,
    MIB_IP_NOT_FORWARDING = 2
} MIB_IPSTATS_FORWARDING, *PMIB_IPSTATS_FORWARDING;

/* An IPv4 neighbour. */
typedef struct _MIB_IPNETROW_LH {
    IF_INDEX dwIndex;
    DWORD dwPhysAddrLen;
    UCHAR bPhysAddr[MAXLEN_PHYSADDR];
    DWORD dwAddr;
    __extension__ union {
        DWORD dwType;
        MIB_IPNET_TYPE Type;
    };
} MIB_IPNETROW_LH, *PMIB_IPNETROW_LH, MIB_IPNETROW, *PMIB_IPNETROW;

typedef struct _MIB_IPNETTABLE {
    DWORD dwNumEntries;
    MIB_IPNETROW table[ANYSIZE_ARRAY];
} MIB_IPNETTABLE, *PMIB_IPNETTABLE;

/* An IPv4 address. */
typedef struct _MIB_IPADDRROW_XP {
    DWORD dwAddr;
    IF_INDEX dwIndex;
    DWORD dwMask;
    DWORD dwBCastAddr;
    DWORD dwReasmSize;
    unsigned short unused1;
    unsigned short wType;
} MIB_IPADDRROW_XP, *PMIB_IPADDRROW_XP, MIB_IPADDRROW, *PMIB_IPADDRROW;

typedef struct _MIB_IPADDRTABLE {
    DWORD dwNumEntries;
    MIB_IPADDRROW table[ANYSIZE_ARRAY];
} MIB_IPADDRTABLE, *PMIB_IPADDRTABLE;

#define MIB_IPADDR_PRIMARY 1
#define MIB_IPADDR_DYNAMIC 4
#define MIB_IPADDR_DISCONNECTED 8
#define MIB_IPADDR_DELETED 64
#define MIB_IPADDR_TRANSIENT 128
#define MIB_IPADDR_DNS_ELIGIBLE 256

#define MIB_IPROUTE_METRIC_UNUSED 4294967295U

typedef struct _MIB_IPFORWARDNUMBER {
    DWORD dwValue;
} MIB_IPFORWARDNUMBER, *PMIB_IPFORWARDNUMBER;

typedef NL_ROUTE_PROTOCOL MIB_IPFORWARD_PROTO;

/* An IPv4 route; addresses in network order. dwForwardMetric1 is that of route and interface together. */
typedef struct _MIB_IPFORWARDROW {
    DWORD dwForwardDest;
    DWORD dwForwardMask;
    DWORD dwForwardPolicy;
    DWORD dwForwardNextHop;
    IF_INDEX dwForwardIfIndex;
    __extension__ union {
        DWORD dwForwardType;
        MIB_IPFORWARD_TYPE ForwardType;
    };
    __extension__ union {
        DWORD dwForwardProto;
        MIB_IPFORWARD_PROTO ForwardProto;
    };
    DWORD dwForwardAge;
    DWORD dwForwardNextHopAS;
    DWORD dwForwardMetric1;
    DWORD dwForwardMetric2;
    DWORD dwForwardMetric3;
    DWORD dwForwardMetric4;
    DWORD dwForwardMetric5;
} MIB_IPFORWARDROW, *PMIB_IPFORWARDROW;

typedef struct _MIB_IPFORWARDTABLE {
    DWORD dwNumEntries;
    MIB_IPFORWARDROW table[ANYSIZE_ARRAY];
} MIB_IPFORWARDTABLE, *PMIB_IPFORWARDTABLE;

#define MIB_USE_CURRENT_TTL 4294967295U
#define MIB_USE_CURRENT_FORWARDING 4294967295U
#define ICMP6_INFOMSG_MASK 128
#define SIZEOF_BASIC_MIB_MFE 60
#define SIZEOF_BASIC_MIB_MFE_STATS 64
#define SIZEOF_BASIC_MIB_MFE_STATS_EX 84

#ifdef __cplusplus
}
#endif

#endif
