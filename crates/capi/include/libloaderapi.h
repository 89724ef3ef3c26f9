/* Part of iphelper, MIT OR Apache-2.0. */
/*
 * Functions by their names, for programs that ask whether one is there: of iphlpapi.dll, icmp.dll and ntdll.dll, which are
 * libiphlpapi here, and of netio.sys, which is libnetio. Nothing else is found. Before glibc 2.34 link with -ldl.
 */
/* Includes this one in its place. */
#include <winbase.h>

#ifndef _APISETLIBLOADER_
#define _APISETLIBLOADER_

#ifdef __cplusplus
extern "C" {
#endif

extern void *iphelper_host_dlopen(const char *, int) __asm__("dlopen");
extern void *iphelper_host_dlsym(void *, const char *) __asm__("dlsym");
extern int iphelper_host_dlclose(void *) __asm__("dlclose");

/* RTLD_NOW, and RTLD_NOLOAD, which finds what is there already. */
static __inline__ HMODULE iphelper_library(LPCSTR name, int flags)
{
    static const struct {
        const char *windows, *host;
    } libraries[] = { { "iphlpapi", "libiphlpapi.so.1" }, { "icmp", "libiphlpapi.so.1" },
        { "ntdll", "libiphlpapi.so.1" }, { "netio", "libnetio.so.1" } };
    const char *file = name, *place;
    size_t length, library;
    HMODULE found = NULL;
    for (place = name; *place != 0; place++) {
        if (*place == '\\' || *place == '/')
            file = place + 1;
    }
    length = strlen(file);
    if (length > 4 && (_stricmp(file + length - 4, ".dll") == 0 || _stricmp(file + length - 4, ".sys") == 0))
        length -= 4;
    for (library = 0; library < _countof(libraries); library++) {
        char base[16] = "";
        if (length < sizeof base)
            memcpy(base, file, length);
        if (_stricmp(base, libraries[library].windows) == 0)
            found = iphelper_host_dlopen(libraries[library].host, 2 | flags);
    }
    if (found == NULL)
        SetLastError(ERROR_MOD_NOT_FOUND);
    return found;
}

static __inline__ HMODULE LoadLibraryA(LPCSTR name)
{
    return iphelper_library(name, 0);
}

static __inline__ HMODULE iphelper_wide_library(LPCWSTR name, int flags)
{
    struct iphelper_text narrow = { NULL, 0, 0, 0 };
    HMODULE found;
    iphelper_append_wide(&narrow, name, (size_t)-1);
    found = iphelper_library(narrow.bytes != NULL ? narrow.bytes : "", flags);
    free(narrow.bytes);
    return found;
}

static __inline__ HMODULE LoadLibraryW(LPCWSTR name)
{
    return iphelper_wide_library(name, 0);
}

/* The flags say where Windows looks. */
static __inline__ HMODULE LoadLibraryExA(LPCSTR name, HANDLE file, DWORD flags)
{
    (void)file;
    (void)flags;
    return iphelper_library(name, 0);
}

static __inline__ HMODULE LoadLibraryExW(LPCWSTR name, HANDLE file, DWORD flags)
{
    (void)file;
    (void)flags;
    return iphelper_wide_library(name, 0);
}

#define LOAD_LIBRARY_SEARCH_SYSTEM32 0x00000800

static __inline__ BOOL FreeLibrary(HMODULE module)
{
    return module != NULL && iphelper_host_dlclose(module) == 0;
}

/* A library that is there, and stays there without being freed. */
static __inline__ HMODULE GetModuleHandleA(LPCSTR name)
{
    HMODULE found = iphelper_library(name != NULL ? name : "", 4);
    if (found != NULL)
        (void)iphelper_host_dlclose(found);
    return found;
}

static __inline__ HMODULE GetModuleHandleW(LPCWSTR name)
{
    HMODULE found = name != NULL ? iphelper_wide_library(name, 4) : iphelper_library("", 4);
    if (found != NULL)
        (void)iphelper_host_dlclose(found);
    return found;
}

static __inline__ FARPROC GetProcAddress(HMODULE module, LPCSTR name)
{
    void *found = module != NULL ? iphelper_host_dlsym(module, name) : NULL;
    FARPROC function = NULL;
    if (found == NULL)
        SetLastError(module != NULL ? ERROR_PROC_NOT_FOUND : ERROR_INVALID_HANDLE);
    /* Standard C has no cast from the one to the other. */
    memcpy(&function, &found, sizeof function);
    return function;
}

#ifdef UNICODE
#define LoadLibrary LoadLibraryW
#define LoadLibraryEx LoadLibraryExW
#define GetModuleHandle GetModuleHandleW
#else
#define LoadLibrary LoadLibraryA
#define LoadLibraryEx LoadLibraryExA
#define GetModuleHandle GetModuleHandleA
#endif

#ifdef __cplusplus
}
#endif

#endif
