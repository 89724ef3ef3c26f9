/* Part of iphelper, MIT OR Apache-2.0. */
/*
 * What IP Helper programs use of the base system: the last error, message texts, the heap, waiting, events. The first
 * group is in libiphlpapi, the others are the host's own functions under Windows' names.
 */
#ifndef _WINBASE_
#define _WINBASE_

#include <iphelper_stdio.h>
#include <winerror.h>
#include <winnt.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an operation that goes on in the background is known by. The event is a descriptor, see events below. */
typedef struct _OVERLAPPED {
    ULONG_PTR Internal;
    ULONG_PTR InternalHigh;
    __extension__ union {
        __extension__ struct {
            DWORD Offset;
            DWORD OffsetHigh;
        };
        PVOID Pointer;
    };
    HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED;

typedef struct _SECURITY_ATTRIBUTES {
    DWORD nLength;
    LPVOID lpSecurityDescriptor;
    BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

/* The last error of the calling thread. */
DWORD WINAPI GetLastError(VOID);
VOID WINAPI SetLastError(DWORD dwErrCode);

/* Texts of error codes. */
#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x00000100
#define FORMAT_MESSAGE_IGNORE_INSERTS 0x00000200
#define FORMAT_MESSAGE_FROM_STRING 0x00000400
#define FORMAT_MESSAGE_FROM_HMODULE 0x00000800
#define FORMAT_MESSAGE_FROM_SYSTEM 0x00001000
#define FORMAT_MESSAGE_ARGUMENT_ARRAY 0x00002000
#define FORMAT_MESSAGE_MAX_WIDTH_MASK 0x000000FF
DWORD WINAPI FormatMessageA(
    DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD dwLanguageId, LPSTR lpBuffer, DWORD nSize,
    va_list *Arguments);
DWORD WINAPI FormatMessageW(
    DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD dwLanguageId, LPWSTR lpBuffer, DWORD nSize,
    va_list *Arguments);
#ifdef UNICODE
#define FormatMessage FormatMessageW
#else
#define FormatMessage FormatMessageA
#endif
HLOCAL WINAPI LocalFree(HLOCAL hMem);

/* Zeroed with either flag. */
#define LMEM_FIXED 0x0000
#define LMEM_ZEROINIT 0x0040
#define LPTR 0x0040
HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes);

/* The heap. */
#define HEAP_ZERO_MEMORY 0x00000008
#define GMEM_FIXED 0x0000
#define GMEM_ZEROINIT 0x0040
#define GPTR 0x0040

static __inline__ HANDLE GetProcessHeap(VOID)
{
    return (HANDLE)(ULONG_PTR)1;
}

static __inline__ LPVOID HeapAlloc(HANDLE heap, DWORD flags, SIZE_T size)
{
    (void)heap;
    return flags & HEAP_ZERO_MEMORY ? calloc(1, size ? size : 1) : malloc(size ? size : 1);
}

static __inline__ LPVOID HeapReAlloc(HANDLE heap, DWORD flags, LPVOID memory, SIZE_T size)
{
    (void)heap;
    /* The old size is not known, so that what is new cannot be cleared alone. */
    return flags & HEAP_ZERO_MEMORY ? NULL : realloc(memory, size ? size : 1);
}

static __inline__ BOOL HeapFree(HANDLE heap, DWORD flags, LPVOID memory)
{
    (void)heap;
    (void)flags;
    free(memory);
    return TRUE;
}

static __inline__ HGLOBAL GlobalAlloc(UINT flags, SIZE_T size)
{
    return flags & GMEM_ZEROINIT ? calloc(1, size ? size : 1) : malloc(size ? size : 1);
}

static __inline__ HGLOBAL GlobalFree(HGLOBAL memory)
{
    free(memory);
    return NULL;
}

#define CopyMemory(target, source, size) memcpy((target), (source), (size))
#define MoveMemory(target, source, size) memmove((target), (source), (size))
#define FillMemory(target, size, byte) memset((target), (byte), (size))
#define ZeroMemory(target, size) memset((target), 0, (size))
#define RtlCopyMemory CopyMemory
#define RtlZeroMemory ZeroMemory
#define SecureZeroMemory ZeroMemory
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
#define ARRAYSIZE _countof
#define C_ASSERT(condition) typedef char iphelper_assert[(condition) ? 1 : -1] IPHELPER_UNUSED

/* The host's functions under names that do not bring its headers, whose names could meet the program's. */
extern int iphelper_host_close(int) __asm__("close");
extern int iphelper_host_getpid(void) __asm__("getpid");
extern int iphelper_host_gettid(void) __asm__("gettid");
extern int iphelper_host_strcasecmp(const char *, const char *) __asm__("strcasecmp");

#define _stricmp iphelper_host_strcasecmp

/* Handles, waiting and events, threads, and what operations in the background came to. */
#include <handleapi.h>
#include <synchapi.h>
#include <processthreadsapi.h>
#include <threadpoollegacyapiset.h>
#include <ioapiset.h>
#include <libloaderapi.h>

static __inline__ LONG InterlockedIncrement(LONG volatile *number)
{
    return __atomic_add_fetch(number, 1, __ATOMIC_SEQ_CST);
}

static __inline__ LONG InterlockedDecrement(LONG volatile *number)
{
    return __atomic_sub_fetch(number, 1, __ATOMIC_SEQ_CST);
}

static __inline__ LONG InterlockedExchange(LONG volatile *number, LONG value)
{
    return __atomic_exchange_n(number, value, __ATOMIC_SEQ_CST);
}

static __inline__ LONG InterlockedExchangeAdd(LONG volatile *number, LONG value)
{
    return __atomic_fetch_add(number, value, __ATOMIC_SEQ_CST);
}

static __inline__ LONG InterlockedCompareExchange(LONG volatile *number, LONG value, LONG expected)
{
    (void)__atomic_compare_exchange_n(number, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}

static __inline__ LONG InterlockedAnd(LONG volatile *number, LONG value)
{
    return __atomic_fetch_and(number, value, __ATOMIC_SEQ_CST);
}

static __inline__ LONG InterlockedOr(LONG volatile *number, LONG value)
{
    return __atomic_fetch_or(number, value, __ATOMIC_SEQ_CST);
}

static __inline__ LONG64 InterlockedIncrement64(LONG64 volatile *number)
{
    return __atomic_add_fetch(number, 1, __ATOMIC_SEQ_CST);
}

static __inline__ LONG64 InterlockedDecrement64(LONG64 volatile *number)
{
    return __atomic_sub_fetch(number, 1, __ATOMIC_SEQ_CST);
}

static __inline__ LONG64 InterlockedExchange64(LONG64 volatile *number, LONG64 value)
{
    return __atomic_exchange_n(number, value, __ATOMIC_SEQ_CST);
}

static __inline__ LONG64 InterlockedExchangeAdd64(LONG64 volatile *number, LONG64 value)
{
    return __atomic_fetch_add(number, value, __ATOMIC_SEQ_CST);
}

static __inline__ LONG64 InterlockedCompareExchange64(LONG64 volatile *number, LONG64 value, LONG64 expected)
{
    (void)__atomic_compare_exchange_n(number, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}

static __inline__ PVOID InterlockedExchangePointer(PVOID volatile *pointer, PVOID value)
{
    return __atomic_exchange_n(pointer, value, __ATOMIC_SEQ_CST);
}

static __inline__ PVOID InterlockedCompareExchangePointer(PVOID volatile *pointer, PVOID value, PVOID expected)
{
    (void)__atomic_compare_exchange_n(pointer, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}

/* Text: narrow strings are UTF-8, whatever the code page. */
#define CP_ACP 0
#define CP_UTF8 65001

/* What a terminal shows is UTF-8 already. */
static __inline__ BOOL SetConsoleOutputCP(UINT page)
{
    if (page != CP_UTF8)
        SetLastError(ERROR_INVALID_PARAMETER);
    return page == CP_UTF8;
}

static __inline__ int lstrlenA(LPCSTR text)
{
    return text != NULL ? (int)strlen(text) : 0;
}

static __inline__ int lstrlenW(LPCWSTR text)
{
    int length = 0;
    while (text != NULL && text[length] != 0)
        length++;
    return length;
}

#ifdef UNICODE
#define lstrlen lstrlenW
#else
#define lstrlen lstrlenA
#endif

static __inline__ int MultiByteToWideChar(UINT page, DWORD flags, LPCSTR narrow, int count, LPWSTR wide, int room)
{
    struct iphelper_text text = { NULL, 0, 0, 0 };
    size_t units;
    (void)page;
    (void)flags;
    iphelper_append(&text, narrow, count < 0 ? strlen(narrow) : (size_t)count);
    if (text.failed) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return 0;
    }
    units = iphelper_to_wide(NULL, 0, text.bytes);
    if (room > 0 && units + (count < 0) > (size_t)room) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        units = 0;
    } else {
        if (room > 0) {
            WCHAR *whole = (WCHAR *)calloc(units + 1, sizeof *whole);
            if (whole != NULL) {
                iphelper_to_wide(whole, units + 1, text.bytes);
                memcpy(wide, whole, (units + (count < 0)) * sizeof *whole);
            }
            free(whole);
        }
        units += count < 0;
    }
    free(text.bytes);
    return (int)units;
}

static __inline__ int WideCharToMultiByte(
    UINT page, DWORD flags, LPCWSTR wide, int count, LPSTR narrow, int room, LPCSTR standard, LPBOOL used_standard)
{
    struct iphelper_text text = { NULL, 0, 0, 0 };
    size_t bytes;
    (void)page;
    (void)flags;
    (void)standard;
    iphelper_append_wide(&text, wide, count < 0 ? (size_t)-1 : (size_t)count);
    if (used_standard != NULL)
        *used_standard = FALSE;
    bytes = text.used + (count < 0);
    if (text.failed || (room > 0 && bytes > (size_t)room)) {
        SetLastError(text.failed ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INSUFFICIENT_BUFFER);
        bytes = 0;
    } else if (room > 0) {
        if (text.used > 0)
            memcpy(narrow, text.bytes, text.used);
        if (count < 0)
            narrow[text.used] = 0;
    }
    free(text.bytes);
    return (int)bytes;
}

#ifdef __cplusplus
}
#endif

#endif
