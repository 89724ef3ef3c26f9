/* Part of iphelper, MIT OR Apache-2.0. */
/* The types and calling conventions of Windows programs. */
#ifndef _MINWINDEF_
#define _MINWINDEF_

#include <basetsd.h>
#include <sal.h>
#include <sys/types.h>

/* There is one calling convention, the host's. */
#define WINAPI
#define CALLBACK
#define APIENTRY
#define APIPRIVATE
#define PASCAL
#define NTAPI
#define NETIOAPI_API_
#ifndef __cdecl
#define __cdecl
#define _cdecl
#define cdecl
#define __stdcall
#define _stdcall
#define __fastcall
#endif
#ifndef __forceinline
#define __forceinline static __inline__ __attribute__((always_inline))
#endif
#ifndef __declspec
#define __declspec(attribute)
#endif
#ifndef DECLSPEC_IMPORT
#define DECLSPEC_IMPORT
#endif
#ifndef __int64
#define __int64 long long
#endif

/* Libraries to link with are named on gcc's command line. */
#pragma GCC diagnostic ignored "-Wunknown-pragmas"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef VOID
#define VOID void
#endif
#ifndef CONST
#define CONST const
#endif
#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE 1
#endif
#define MAX_PATH 260

typedef char CHAR, CCHAR, *PCHAR, *LPCH, *PCH, *PSTR, *LPSTR, *NPSTR;
typedef const char *LPCCH, *PCCH, *PCSTR, *LPCSTR;
typedef unsigned char UCHAR, *PUCHAR, BYTE, *PBYTE, *LPBYTE, BOOLEAN, *PBOOLEAN;
typedef short SHORT, *PSHORT;
typedef unsigned short USHORT, *PUSHORT, WORD, *PWORD, *LPWORD;
typedef int INT, *PINT, *LPINT, BOOL, *PBOOL, *LPBOOL;
typedef unsigned int UINT, *PUINT;
/* 32 bits on every host. Linux' long has 64 on most; format them as the %lu of this library's printf. */
typedef int LONG, *PLONG, *LPLONG;
typedef unsigned int ULONG, *PULONG, DWORD, *PDWORD, *LPDWORD;
typedef float FLOAT, *PFLOAT;
typedef long long IPHELPER_ALIGN8 LONGLONG, *PLONGLONG;
typedef unsigned long long IPHELPER_ALIGN8 ULONGLONG, *PULONGLONG, DWORDLONG, *PDWORDLONG;
typedef void *PVOID, *LPVOID, *HANDLE, **PHANDLE, **LPHANDLE, *HMODULE, *HINSTANCE, *HLOCAL, *HGLOBAL, *HWND;
/* A handle of a type of its own. */
#define DECLARE_HANDLE(name)      \
    struct name##__ {             \
        int unused;               \
    };                            \
    typedef struct name##__ *name
typedef const void *LPCVOID, *PCVOID;
typedef LONG HRESULT;
#ifdef __cplusplus
typedef INT_PTR(WINAPI *FARPROC)(...);
#else
typedef INT_PTR(WINAPI *FARPROC)();
#endif

/* 16 bits: with -fshort-wchar L"..." has them, too. Without it u"..." has, and in C++ std::u16string. */
#if __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#if defined(__cplusplus) && !defined(IPHELPER_SHORT_WCHAR)
#error "std::wstring and wide streams are compiled for 32 bits and go wrong with -fshort-wchar. Compile C++ without it: WCHAR \
is char16_t then, as in std::u16string and u\"...\"; or define IPHELPER_SHORT_WCHAR in a program that uses none of them."
#endif
#elif defined(__cplusplus) && __cplusplus >= 201103L
typedef char16_t WCHAR;
#else
typedef unsigned short WCHAR;
#endif
typedef WCHAR *PWCHAR, *LPWCH, *PWCH, *PWSTR, *LPWSTR, *NWPSTR;
typedef const WCHAR *LPCWCH, *PCWCH, *PCWSTR, *LPCWSTR;

#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR, *PTSTR, *LPTSTR;
typedef const WCHAR *PCTSTR, *LPCTSTR;
#if __SIZEOF_WCHAR_T__ == 2
#define TEXT(quote) L##quote
#else
#define TEXT(quote) u##quote
#endif
#else
typedef char TCHAR, *PTCHAR, *PTSTR, *LPTSTR;
typedef const char *PCTSTR, *LPCTSTR;
#define TEXT(quote) quote
#endif

typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

typedef struct _SYSTEMTIME {
    WORD wYear;
    WORD wMonth;
    WORD wDayOfWeek;
    WORD wDay;
    WORD wHour;
    WORD wMinute;
    WORD wSecond;
    WORD wMilliseconds;
} SYSTEMTIME, *PSYSTEMTIME, *LPSYSTEMTIME;

#define LOBYTE(word) ((BYTE)((DWORD_PTR)(word) & 0xFF))
#define HIBYTE(word) ((BYTE)((DWORD_PTR)(word) >> 8 & 0xFF))
#define LOWORD(number) ((WORD)((DWORD_PTR)(number) & 0xFFFF))
#define HIWORD(number) ((WORD)((DWORD_PTR)(number) >> 16 & 0xFFFF))
#define MAKEWORD(low, high) ((WORD)((BYTE)(low) | (WORD)((BYTE)(high)) << 8))
#define MAKELONG(low, high) ((LONG)((WORD)(low) | (DWORD)((WORD)(high)) << 16))
#define UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#if !defined(NOMINMAX) && !defined(__cplusplus)
#ifndef max
#define max(a, b) ((a) > (b) ? (a) : (b))
#endif
#ifndef min
#define min(a, b) ((a) < (b) ? (a) : (b))
#endif
#endif

#ifdef __cplusplus
}
#endif

#endif
