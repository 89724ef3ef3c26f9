/* Part of iphelper, MIT OR Apache-2.0. */
#ifndef GUID_DEFINED
#define GUID_DEFINED

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The first three parts are numbers in host order. */
typedef struct _GUID {
    unsigned int Data1;
    unsigned short Data2;
    unsigned short Data3;
    unsigned char Data4[8];
} GUID, *PGUID, *LPGUID, IID, CLSID;
typedef const GUID *LPCGUID;

#ifdef __cplusplus
}
#define REFGUID const GUID &
#define IsEqualGUID(a, b) (memcmp(&(a), &(b), sizeof(GUID)) == 0)
#else
#define REFGUID const GUID *
#define IsEqualGUID(a, b) (memcmp((a), (b), sizeof(GUID)) == 0)
#endif

#endif
