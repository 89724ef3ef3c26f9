/* Part of iphelper, MIT OR Apache-2.0. */
#ifndef _NETIODEF_
#define _NETIODEF_

#include <ws2ipdef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Parts of an Ethernet address, and the whole. */
typedef union _DL_OUI {
    UINT8 Byte[3];
    __extension__ struct {
        UINT8 Group : 1;
        UINT8 Local : 1;
    };
} DL_OUI, *PDL_OUI;

typedef union _DL_EI48 {
    UINT8 Byte[3];
} DL_EI48, *PDL_EI48;

typedef union _DL_EUI48 {
    UINT8 Byte[6];
    __extension__ struct {
        DL_OUI Oui;
        DL_EI48 Ei48;
    };
} DL_EUI48, *PDL_EUI48;

#ifdef __cplusplus
}
#endif

#endif
