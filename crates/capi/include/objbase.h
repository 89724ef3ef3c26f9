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

static __inline__ LPVOID CoTaskMemAlloc(SIZE_T size)
{
    return malloc(size ? size : 1);
}

static __inline__ VOID CoTaskMemFree(LPVOID memory)
{
    free(memory);
}

/* The text is to be freed with CoTaskMemFree. */
static __inline__ HRESULT StringFromCLSID(REFGUID guid, LPOLESTR *text)
{
    *text = (LPOLESTR)CoTaskMemAlloc(39 * sizeof **text);
    if (*text == NULL)
        return E_OUTOFMEMORY;
    (void)StringFromGUID2(guid, *text, 39);
    return S_OK;
}

#define StringFromIID StringFromCLSID

/* Of a GUID in braces; names of classes are not looked up. */
static __inline__ HRESULT CLSIDFromString(LPCOLESTR text, CLSID *guid)
{
    static const char form[] = "{00000000-0000-0000-0000-000000000000}";
    unsigned char bytes[16] = { 0 };
    int place, digits = 0;
    memset(guid, 0, sizeof *guid);
    if (text == NULL)
        return S_OK;
    for (place = 0; place < 38; place++) {
        WCHAR unit = text[place];
        int digit = unit >= '0' && unit <= '9' ? unit - '0' : unit >= 'a' && unit <= 'f' ? unit - 'a' + 10
            : unit >= 'A' && unit <= 'F' ? unit - 'A' + 10 : -1;
        if (form[place] != '0') {
            if (unit != (WCHAR)form[place])
                return CO_E_CLASSSTRING;
        } else if (digit < 0) {
            return CO_E_CLASSSTRING;
        } else {
            bytes[digits / 2] = (unsigned char)(bytes[digits / 2] << 4 | digit);
            digits++;
        }
    }
    if (text[38] != 0)
        return CO_E_CLASSSTRING;
    guid->Data1 = (unsigned int)bytes[0] << 24 | (unsigned int)bytes[1] << 16 | (unsigned int)bytes[2] << 8 | bytes[3];
    guid->Data2 = (unsigned short)(bytes[4] << 8 | bytes[5]);
    guid->Data3 = (unsigned short)(bytes[6] << 8 | bytes[7]);
    memcpy(guid->Data4, bytes + 8, 8);
    return S_OK;
}

#define IIDFromString CLSIDFromString

#endif
