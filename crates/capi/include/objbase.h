/* Part of iphelper, MIT OR Apache-2.0. */
/* The text form of a GUID. */
#ifndef _OBJBASE_H_
#define _OBJBASE_H_

#include <windows.h>

typedef WCHAR OLECHAR, *LPOLESTR;
typedef const WCHAR *LPCOLESTR;

/* Writes {XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX} and a terminator, 39 characters; 0 if there is no room for them. */
static __inline__ int StringFromGUID2(REFGUID guid, LPOLESTR text, int room)
{
#ifdef __cplusplus
    const GUID *id = &guid;
#else
    const GUID *id = guid;
#endif
    char narrow[40];
    iphelper_snprintf(narrow, sizeof narrow, "{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}", id->Data1, id->Data2,
        id->Data3, id->Data4[0], id->Data4[1], id->Data4[2], id->Data4[3], id->Data4[4], id->Data4[5], id->Data4[6],
        id->Data4[7]);
    if (room < 39)
        return 0;
    iphelper_to_wide(text, (size_t)room, narrow);
    return 39;
}

#endif
