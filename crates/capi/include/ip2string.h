/* Part of iphelper, MIT OR Apache-2.0. */
/*
 * Addresses and text. Ports and scope ids are in network byte order. Lengths are in characters, the terminator counted;
 * one that is too small is replaced by the one that is needed.
 */
#ifndef _IP2STRING_
#define _IP2STRING_

#include <in6addr.h>
#include <inaddr.h>
#include <ntdef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* These return the place of the terminator. The text has at most 16 characters, or 46. */
PSTR NTAPI RtlIpv4AddressToStringA(CONST struct in_addr *Addr, PSTR S);
PWSTR NTAPI RtlIpv4AddressToStringW(CONST struct in_addr *Addr, PWSTR S);
PSTR NTAPI RtlIpv6AddressToStringA(CONST struct in6_addr *Addr, PSTR S);
PWSTR NTAPI RtlIpv6AddressToStringW(CONST struct in6_addr *Addr, PWSTR S);

NTSTATUS NTAPI RtlIpv4AddressToStringExA(
    CONST struct in_addr *Address, USHORT Port, PSTR AddressString, PULONG AddressStringLength);
NTSTATUS NTAPI RtlIpv4AddressToStringExW(
    CONST struct in_addr *Address, USHORT Port, PWSTR AddressString, PULONG AddressStringLength);
NTSTATUS NTAPI RtlIpv6AddressToStringExA(
    CONST struct in6_addr *Address, ULONG ScopeId, USHORT Port, PSTR AddressString, PULONG AddressStringLength);
NTSTATUS NTAPI RtlIpv6AddressToStringExW(
    CONST struct in6_addr *Address, ULONG ScopeId, USHORT Port, PWSTR AddressString, PULONG AddressStringLength);

/* Terminator is the place of what follows the address. */
NTSTATUS NTAPI RtlIpv4StringToAddressA(PCSTR S, BOOLEAN Strict, PCSTR *Terminator, struct in_addr *Addr);
NTSTATUS NTAPI RtlIpv4StringToAddressW(PCWSTR S, BOOLEAN Strict, LPCWSTR *Terminator, struct in_addr *Addr);
NTSTATUS NTAPI RtlIpv6StringToAddressA(PCSTR S, PCSTR *Terminator, struct in6_addr *Addr);
NTSTATUS NTAPI RtlIpv6StringToAddressW(PCWSTR S, PCWSTR *Terminator, struct in6_addr *Addr);

NTSTATUS NTAPI RtlIpv4StringToAddressExA(PCSTR AddressString, BOOLEAN Strict, struct in_addr *Address, PUSHORT Port);
NTSTATUS NTAPI RtlIpv4StringToAddressExW(PCWSTR AddressString, BOOLEAN Strict, struct in_addr *Address, PUSHORT Port);
NTSTATUS NTAPI RtlIpv6StringToAddressExA(
    PCSTR AddressString, struct in6_addr *Address, PULONG ScopeId, PUSHORT Port);
NTSTATUS NTAPI RtlIpv6StringToAddressExW(
    PCWSTR AddressString, struct in6_addr *Address, PULONG ScopeId, PUSHORT Port);

/* Six pairs of capital hexadecimal digits with hyphens: 18 characters. */
union _DL_EUI48;
PSTR NTAPI RtlEthernetAddressToStringA(CONST union _DL_EUI48 *Addr, PSTR S);
PWSTR NTAPI RtlEthernetAddressToStringW(CONST union _DL_EUI48 *Addr, PWSTR S);
NTSTATUS NTAPI RtlEthernetStringToAddressA(PCSTR S, PCSTR *Terminator, union _DL_EUI48 *Addr);
NTSTATUS NTAPI RtlEthernetStringToAddressW(PCWSTR S, LPCWSTR *Terminator, union _DL_EUI48 *Addr);

#ifdef UNICODE
#define RtlEthernetAddressToString RtlEthernetAddressToStringW
#define RtlEthernetStringToAddress RtlEthernetStringToAddressW
#define RtlIpv4AddressToString RtlIpv4AddressToStringW
#define RtlIpv4AddressToStringEx RtlIpv4AddressToStringExW
#define RtlIpv4StringToAddress RtlIpv4StringToAddressW
#define RtlIpv4StringToAddressEx RtlIpv4StringToAddressExW
#define RtlIpv6AddressToString RtlIpv6AddressToStringW
#define RtlIpv6AddressToStringEx RtlIpv6AddressToStringExW
#define RtlIpv6StringToAddress RtlIpv6StringToAddressW
#define RtlIpv6StringToAddressEx RtlIpv6StringToAddressExW
#else
#define RtlEthernetAddressToString RtlEthernetAddressToStringA
#define RtlEthernetStringToAddress RtlEthernetStringToAddressA
#define RtlIpv4AddressToString RtlIpv4AddressToStringA
#define RtlIpv4AddressToStringEx RtlIpv4AddressToStringExA
#define RtlIpv4StringToAddress RtlIpv4StringToAddressA
#define RtlIpv4StringToAddressEx RtlIpv4StringToAddressExA
#define RtlIpv6AddressToString RtlIpv6AddressToStringA
#define RtlIpv6AddressToStringEx RtlIpv6AddressToStringExA
#define RtlIpv6StringToAddress RtlIpv6StringToAddressA
#define RtlIpv6StringToAddressEx RtlIpv6StringToAddressExA
#endif

#ifdef __cplusplus
}
#endif

#endif
