/* Part of iphelper, MIT OR Apache-2.0. */
/* Text of addresses, and names of hosts. */
#ifndef _WS2TCPIP_H_
#define _WS2TCPIP_H_

#include <winsock2.h>

#ifdef __cplusplus
extern "C" {
#endif

extern int iphelper_host_inet_pton(int, const char *, void *) __asm__("inet_pton");
extern const char *iphelper_host_inet_ntop(int, const void *, char *, unsigned int) __asm__("inet_ntop");

static __inline__ INT iphelper_inet_pton(INT family, PCSTR text, PVOID address)
{
    return iphelper_host_inet_pton(iphelper_host_family(family), text, address);
}

static __inline__ PCSTR iphelper_inet_ntop(INT family, const VOID *address, PSTR text, size_t size)
{
    return iphelper_host_inet_ntop(iphelper_host_family(family), address, text, (unsigned int)size);
}

static __inline__ INT InetPtonW(INT family, PCWSTR text, PVOID address)
{
    struct iphelper_text narrow = { NULL, 0, 0, 0 };
    INT result;
    iphelper_append_wide(&narrow, text, (size_t)-1);
    result = narrow.bytes == NULL ? 0 : iphelper_inet_pton(family, narrow.bytes, address);
    free(narrow.bytes);
    return result;
}

static __inline__ PCWSTR InetNtopW(INT family, const VOID *address, PWSTR text, size_t size)
{
    char narrow[INET6_ADDRSTRLEN];
    if (iphelper_inet_ntop(family, address, narrow, sizeof narrow) == NULL)
        return NULL;
    if (strlen(narrow) >= size) {
        errno = EINVAL;
        return NULL;
    }
    iphelper_to_wide(text, size, narrow);
    return text;
}

/* An address with its port, if it has one, and its zone. Of libiphlpapi, which ip2string.h declares. */
typedef struct _WSAPROTOCOL_INFOA *LPWSAPROTOCOL_INFOA;
typedef struct _WSAPROTOCOL_INFOW *LPWSAPROTOCOL_INFOW;
#define IPHELPER_ADDRESS_TEXT(width, character)                                                                       \
    LONG NTAPI RtlIpv4AddressToStringEx##width(const struct in_addr *, USHORT, character *, PULONG);                  \
    LONG NTAPI RtlIpv6AddressToStringEx##width(const struct in6_addr *, ULONG, USHORT, character *, PULONG);          \
    LONG NTAPI RtlIpv4StringToAddressEx##width(const character *, BOOLEAN, struct in_addr *, PUSHORT);                \
    LONG NTAPI RtlIpv6StringToAddressEx##width(const character *, struct in6_addr *, PULONG, PUSHORT);                \
    static __inline__ INT WSAAddressToString##width(                                                                  \
        LPSOCKADDR address, DWORD size, LPWSAPROTOCOL_INFO##width protocol, character *text, LPDWORD length)          \
    {                                                                                                                 \
        LONG status = -1;                                                                                             \
        (void)protocol;                                                                                               \
        if (address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in)) {                                    \
            const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;                       \
            status = RtlIpv4AddressToStringEx##width(&four->sin_addr, four->sin_port, text, length);                  \
        } else if (address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {                           \
            const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;                      \
            status = RtlIpv6AddressToStringEx##width(                                                                 \
                &six->sin6_addr, htonl(six->sin6_scope_id), six->sin6_port, text, length);                            \
        } else {                                                                                                      \
            WSASetLastError(WSAEINVAL);                                                                               \
            return SOCKET_ERROR;                                                                                      \
        }                                                                                                             \
        if (status != 0)                                                                                              \
            WSASetLastError(WSAEFAULT);                                                                               \
        return status == 0 ? 0 : SOCKET_ERROR;                                                                        \
    }                                                                                                                 \
    static __inline__ INT WSAStringToAddress##width(                                                                  \
        character *text, INT family, LPWSAPROTOCOL_INFO##width protocol, LPSOCKADDR address, LPINT size)              \
    {                                                                                                                 \
        LONG status = -1;                                                                                             \
        INT needed = family == AF_INET ? (INT)sizeof(struct sockaddr_in) : (INT)sizeof(struct sockaddr_in6);          \
        (void)protocol;                                                                                               \
        if ((family != AF_INET && family != AF_INET6) || *size < needed) {                                            \
            *size = needed;                                                                                           \
            WSASetLastError(family != AF_INET && family != AF_INET6 ? WSAEINVAL : WSAEFAULT);                         \
            return SOCKET_ERROR;                                                                                      \
        }                                                                                                             \
        *size = needed;                                                                                               \
        memset(address, 0, (size_t)needed);                                                                           \
        address->sa_family = (ADDRESS_FAMILY)family;                                                                  \
        if (family == AF_INET) {                                                                                      \
            struct sockaddr_in *four = (struct sockaddr_in *)(void *)address;                                         \
            status = RtlIpv4StringToAddressEx##width(text, FALSE, &four->sin_addr, &four->sin_port);                  \
        } else {                                                                                                      \
            struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)address;                                        \
            ULONG scope = 0;                                                                                          \
            status = RtlIpv6StringToAddressEx##width(text, &six->sin6_addr, &scope, &six->sin6_port);                 \
            six->sin6_scope_id = ntohl(scope);                                                                        \
        }                                                                                                             \
        if (status != 0)                                                                                              \
            WSASetLastError(WSAEINVAL);                                                                               \
        return status == 0 ? 0 : SOCKET_ERROR;                                                                        \
    }
IPHELPER_ADDRESS_TEXT(A, CHAR)
IPHELPER_ADDRESS_TEXT(W, WCHAR)
#ifdef UNICODE
#define WSAAddressToString WSAAddressToStringW
#define WSAStringToAddress WSAStringToAddressW
#else
#define WSAAddressToString WSAAddressToStringA
#define WSAStringToAddress WSAStringToAddressA
#endif

static __inline__ INT inet_pton(INT family, const char *text, PVOID address) IPHELPER_OWN("inet_pton");
static __inline__ INT inet_pton(INT family, const char *text, PVOID address)
{
    return iphelper_inet_pton(family, text, address);
}

static __inline__ const char *inet_ntop(
    INT family, const VOID *address, char *text, size_t size) IPHELPER_OWN("inet_ntop");
static __inline__ const char *inet_ntop(
    INT family, const VOID *address, char *text, size_t size)
{
    return iphelper_inet_ntop(family, address, text, size);
}

#define InetPtonA iphelper_inet_pton
#define InetNtopA iphelper_inet_ntop
#ifdef UNICODE
#define InetPton InetPtonW
#define InetNtop InetNtopW
#else
#define InetPton InetPtonA
#define InetNtop InetNtopA
#endif

/* What the host's getaddrinfo gives. */
struct iphelper_host_addrinfo {
    int flags, family, type, protocol;
    unsigned int size;
    void *address;
    char *name;
    struct iphelper_host_addrinfo *next;
};
extern int iphelper_host_getaddrinfo(
    const char *, const char *, const struct iphelper_host_addrinfo *, struct iphelper_host_addrinfo **)
    __asm__("getaddrinfo");
extern void iphelper_host_freeaddrinfo(struct iphelper_host_addrinfo *) __asm__("freeaddrinfo");
extern int iphelper_host_getnameinfo(
    const void *, unsigned int, char *, unsigned int, char *, unsigned int, int) __asm__("getnameinfo");

/* The host's EAI_ code as Winsock's. */
static __inline__ int iphelper_name_error(int code)
{
    switch (code) {
    case 0: return 0;
    case -1: return WSAEINVAL;
    case -2: return WSAHOST_NOT_FOUND;
    case -3: return WSATRY_AGAIN;
    case -4: return WSANO_RECOVERY;
    case -5: return WSANO_DATA;
    case -6: return WSAEAFNOSUPPORT;
    case -7: return WSAESOCKTNOSUPPORT;
    case -8: return WSATYPE_NOT_FOUND;
    case -10: return WSA_NOT_ENOUGH_MEMORY;
    case -11: return WSAGetLastError();
    case -12: return WSAEFAULT;
    default: return WSANO_RECOVERY;
    }
}

static __inline__ VOID iphelper_freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list->ai_canonname);
        free(list);
        list = next;
    }
}

static __inline__ INT iphelper_getaddrinfo(
    PCSTR host, PCSTR service, const struct addrinfo *hints, struct addrinfo **result)
{
    struct iphelper_host_addrinfo host_hints, *host_list = NULL, *at;
    struct addrinfo **end = result;
    int error;
    memset(&host_hints, 0, sizeof host_hints);
    if (hints != NULL) {
        host_hints.flags = (hints->ai_flags & 7) | (hints->ai_flags & AI_NUMERICSERV ? 0x400 : 0);
        host_hints.family = iphelper_host_family(hints->ai_family);
        host_hints.type = hints->ai_socktype;
        host_hints.protocol = hints->ai_protocol;
    }
    *result = NULL;
    error = iphelper_host_getaddrinfo(host, service, hints != NULL ? &host_hints : NULL, &host_list);
    if (error != 0)
        return iphelper_name_error(error);
    for (at = host_list; at != NULL; at = at->next) {
        /* One block for the entry and its address. */
        struct addrinfo *entry = (struct addrinfo *)calloc(1, sizeof *entry + at->size);
        if (entry == NULL) {
            iphelper_freeaddrinfo(*result);
            *result = NULL;
            error = WSA_NOT_ENOUGH_MEMORY;
            break;
        }
        entry->ai_family = iphelper_windows_family(at->family);
        entry->ai_socktype = at->type;
        entry->ai_protocol = at->protocol;
        entry->ai_addrlen = at->size;
        entry->ai_addr = (struct sockaddr *)(void *)(entry + 1);
        memcpy(entry->ai_addr, at->address, at->size);
        entry->ai_addr->sa_family = (ADDRESS_FAMILY)entry->ai_family;
        if (at->name != NULL) {
            entry->ai_canonname = (char *)malloc(strlen(at->name) + 1);
            if (entry->ai_canonname != NULL)
                strcpy(entry->ai_canonname, at->name);
        }
        *end = entry;
        end = &entry->ai_next;
    }
    iphelper_host_freeaddrinfo(host_list);
    return error;
}

static __inline__ INT iphelper_getnameinfo(
    const struct sockaddr *address, int size, PCHAR host, DWORD host_size, PCHAR service, DWORD service_size, INT flags)
{
    struct sockaddr_storage copy;
    unsigned int address_size = iphelper_host_address(&copy, address, size);
    int host_flags = (flags & NI_NUMERICHOST ? 1 : 0) | (flags & NI_NUMERICSERV ? 2 : 0);
    return iphelper_name_error(
        iphelper_host_getnameinfo(&copy, address_size, host, host_size, service, service_size, host_flags));
}

static __inline__ INT getaddrinfo(
    PCSTR host, PCSTR service, const ADDRINFOA *hints, ADDRINFOA **result) IPHELPER_OWN("getaddrinfo");
static __inline__ INT getaddrinfo(
    PCSTR host, PCSTR service, const ADDRINFOA *hints, ADDRINFOA **result)
{
    return iphelper_getaddrinfo(host, service, hints, result);
}

static __inline__ VOID freeaddrinfo(ADDRINFOA *list) IPHELPER_OWN("freeaddrinfo");
static __inline__ VOID freeaddrinfo(ADDRINFOA *list)
{
    iphelper_freeaddrinfo(list);
}

static __inline__ INT getnameinfo(
    const struct sockaddr *address, int size, PCHAR host, DWORD host_size, PCHAR service, DWORD service_size, INT flags) IPHELPER_OWN("getnameinfo");
static __inline__ INT getnameinfo(
    const struct sockaddr *address, int size, PCHAR host, DWORD host_size, PCHAR service, DWORD service_size, INT flags)
{
    return iphelper_getnameinfo(address, size, host, host_size, service, service_size, flags);
}

/* The C library's own. */
extern const IN6_ADDR in6addr_any, in6addr_loopback;

#define IN6_IS_ADDR_LOOPBACK(address) iphelper_is_address(address, 1)
#define IN6_IS_ADDR_UNSPECIFIED(address) iphelper_is_address(address, 0)
#define IN6_IS_ADDR_LINKLOCAL(address) ((address)->s6_bytes[0] == 0xFE && ((address)->s6_bytes[1] & 0xC0) == 0x80)
#define IN6_IS_ADDR_MULTICAST(address) ((address)->s6_bytes[0] == 0xFF)

/* Whether an IPv6 address is zero but for its last byte. */
static __inline__ int iphelper_is_address(const IN6_ADDR *address, UCHAR last)
{
    int at, others = 0;
    for (at = 0; at < 15; at++)
        others |= address->s6_bytes[at];
    return others == 0 && address->s6_bytes[15] == last;
}

#ifdef __cplusplus
}
#endif

#endif
