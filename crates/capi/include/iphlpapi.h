/* Part of iphelper, MIT OR Apache-2.0. */
/* The first generation of functions, and the second by netioapi.h. Link with libiphlpapi. */
#ifndef _IPHLPAPI_H_
#define _IPHLPAPI_H_

#include <windows.h>

#include <iprtrmib.h>
#include <netioapi.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * TCP. The caller brings a buffer and its size in bytes; a size that is too small is replaced by the one that is
 * needed, and the answer is ERROR_INSUFFICIENT_BUFFER. The table may have grown at the next call: ask until it fits.
 */
ULONG WINAPI GetTcpTable(PMIB_TCPTABLE TcpTable, PULONG SizePointer, BOOL Order);
ULONG WINAPI GetTcpTable2(PMIB_TCPTABLE2 TcpTable, PULONG SizePointer, BOOL Order);
ULONG WINAPI GetTcp6Table(PMIB_TCP6TABLE TcpTable, PULONG SizePointer, BOOL Order);
ULONG WINAPI GetTcp6Table2(PMIB_TCP6TABLE2 TcpTable, PULONG SizePointer, BOOL Order);
DWORD WINAPI GetExtendedTcpTable(
    PVOID pTcpTable, PDWORD pdwSize, BOOL bOrder, ULONG ulAf, TCP_TABLE_CLASS TableClass, ULONG Reserved);
DWORD WINAPI GetOwnerModuleFromTcpEntry(
    PMIB_TCPROW_OWNER_MODULE pTcpEntry, TCPIP_OWNER_MODULE_INFO_CLASS Class, PVOID pBuffer, PDWORD pdwSize);
DWORD WINAPI GetOwnerModuleFromTcp6Entry(
    PMIB_TCP6ROW_OWNER_MODULE pTcpEntry, TCPIP_OWNER_MODULE_INFO_CLASS Class, PVOID pBuffer, PDWORD pdwSize);
DWORD WINAPI SetTcpEntry(PMIB_TCPROW pTcpRow);

/* Interfaces. */
DWORD WINAPI GetNumberOfInterfaces(PDWORD pdwNumIf);
DWORD WINAPI GetIfEntry(PMIB_IFROW pIfRow);
DWORD WINAPI GetIfTable(PMIB_IFTABLE pIfTable, PULONG pdwSize, BOOL bOrder);
DWORD WINAPI SetIfEntry(PMIB_IFROW pIfRow);

#ifdef __cplusplus
}
#endif

#endif
