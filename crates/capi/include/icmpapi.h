/* Part of iphelper, MIT OR Apache-2.0. */
/*
 * Echo requests. A reply buffer has room for a structure, the data of the request and 8 bytes more (and over IPv6 an
 * IO_STATUS_BLOCK). With an event or a routine a function does not wait; the buffer is the library's until that is told.
 * A routine is called in an alertable wait (SleepEx, WaitForSingleObjectEx) of the thread that asked.
 */
#ifndef _ICMP_INCLUDED_
#define _ICMP_INCLUDED_

#include <ipexport.h>
#include <windows.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sockaddr_in6;

/* winternl.h, included before, makes the routine's type known. */
#ifdef PIO_APC_ROUTINE_DEFINED
#define IPHELPER_APC_ROUTINE PIO_APC_ROUTINE
#else
#define IPHELPER_APC_ROUTINE FARPROC
#endif

HANDLE WINAPI IcmpCreateFile(VOID);
HANDLE WINAPI Icmp6CreateFile(VOID);
BOOL WINAPI IcmpCloseHandle(HANDLE IcmpHandle);
DWORD WINAPI IcmpSendEcho(
    HANDLE IcmpHandle, IPAddr DestinationAddress, LPVOID RequestData, WORD RequestSize,
    PIP_OPTION_INFORMATION RequestOptions, LPVOID ReplyBuffer, DWORD ReplySize, DWORD Timeout);
DWORD WINAPI IcmpSendEcho2(
    HANDLE IcmpHandle, HANDLE Event, IPHELPER_APC_ROUTINE ApcRoutine, PVOID ApcContext, IPAddr DestinationAddress,
    LPVOID RequestData, WORD RequestSize, PIP_OPTION_INFORMATION RequestOptions, LPVOID ReplyBuffer, DWORD ReplySize,
    DWORD Timeout);
DWORD WINAPI IcmpSendEcho2Ex(
    HANDLE IcmpHandle, HANDLE Event, IPHELPER_APC_ROUTINE ApcRoutine, PVOID ApcContext, IPAddr SourceAddress,
    IPAddr DestinationAddress, LPVOID RequestData, WORD RequestSize, PIP_OPTION_INFORMATION RequestOptions,
    LPVOID ReplyBuffer, DWORD ReplySize, DWORD Timeout);
DWORD WINAPI Icmp6SendEcho2(
    HANDLE IcmpHandle, HANDLE Event, IPHELPER_APC_ROUTINE ApcRoutine, PVOID ApcContext,
    struct sockaddr_in6 *SourceAddress, struct sockaddr_in6 *DestinationAddress, LPVOID RequestData, WORD RequestSize,
    PIP_OPTION_INFORMATION RequestOptions, LPVOID ReplyBuffer, DWORD ReplySize, DWORD Timeout);
DWORD WINAPI IcmpParseReplies(LPVOID ReplyBuffer, DWORD ReplySize);
DWORD WINAPI Icmp6ParseReplies(LPVOID ReplyBuffer, DWORD ReplySize);

#ifdef __cplusplus
}
#endif

#endif
