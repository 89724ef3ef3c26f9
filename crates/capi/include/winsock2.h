/* Part of iphelper, MIT OR Apache-2.0. */
/*
 * Sockets: the host's own, behind Windows' declarations. The functions here translate where the two differ: AF_INET6 is
 * 23 in Windows' addresses and 10 in Linux', option numbers, the shape of struct linger, times in milliseconds, error
 * codes. WSAGetLastError translates errno. The host's own socket headers cannot be included beside this one.
 */
#ifndef _WINSOCK2API_
#define _WINSOCK2API_
#ifndef _WINSOCKAPI_
#define _WINSOCKAPI_
#endif

#include <windows.h>

#include <errno.h>
#include <sys/select.h>
#include <ws2def.h>
#include <ws2ipdef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The symbol of a function whose name is also that of one of the host's. */
#define IPHELPER_OWN(name) __asm__("iphelper_own_" name)

typedef UINT_PTR SOCKET;
/* The host has an unsigned one, which its headers may have declared, or declare still. */
typedef int iphelper_socklen_t;
#define socklen_t iphelper_socklen_t
#ifndef __socklen_t_defined
#define __socklen_t_defined
#endif

#define INVALID_SOCKET ((SOCKET)(~0))
#define SOCKET_ERROR (-1)
#define SOMAXCONN 0x7FFFFFFF

/* 32 bits, where the host's u_long has 64 on most processors. */
#define u_char UCHAR
#define u_short USHORT
#define u_int UINT
#define u_long ULONG

#define SD_RECEIVE 0
#define SD_SEND 1
#define SD_BOTH 2

#define MSG_OOB 0x1
#define MSG_PEEK 0x2
#define MSG_WAITALL 0x8

#define FIONBIO 0x8004667E
#define FIONREAD 0x4004667F

#define SOL_SOCKET 0xFFFF
#define SO_REUSEADDR 0x0004
#define SO_KEEPALIVE 0x0008
#define SO_BROADCAST 0x0020
#define SO_LINGER 0x0080
#define SO_SNDBUF 0x1001
#define SO_RCVBUF 0x1002
#define SO_SNDTIMEO 0x1005
#define SO_RCVTIMEO 0x1006
#define SO_ERROR 0x1007
#define SO_TYPE 0x1008
#define SO_EXCLUSIVEADDRUSE ((int)(~SO_REUSEADDR))
#define TCP_NODELAY 0x0001

struct linger {
    USHORT l_onoff;
    USHORT l_linger;
};
typedef struct linger LINGER, *PLINGER, *LPLINGER;
typedef struct timeval TIMEVAL, *PTIMEVAL, *LPTIMEVAL;

#define WSADESCRIPTION_LEN 256
#define WSASYS_STATUS_LEN 128
typedef struct WSAData {
    WORD wVersion;
    WORD wHighVersion;
    USHORT iMaxSockets;
    USHORT iMaxUdpDg;
    char *lpVendorInfo;
    char szDescription[WSADESCRIPTION_LEN + 1];
    char szSystemStatus[WSASYS_STATUS_LEN + 1];
} WSADATA, *LPWSADATA;

extern int iphelper_host_socket(int, int, int) __asm__("socket");
extern int iphelper_host_bind(int, const void *, unsigned int) __asm__("bind");
extern int iphelper_host_connect(int, const void *, unsigned int) __asm__("connect");
extern int iphelper_host_listen(int, int) __asm__("listen");
extern int iphelper_host_accept(int, void *, unsigned int *) __asm__("accept");
extern int iphelper_host_getsockname(int, void *, unsigned int *) __asm__("getsockname");
extern int iphelper_host_getpeername(int, void *, unsigned int *) __asm__("getpeername");
extern ssize_t iphelper_host_sendto(int, const void *, size_t, int, const void *, unsigned int) __asm__("sendto");
extern ssize_t iphelper_host_recvfrom(int, void *, size_t, int, void *, unsigned int *) __asm__("recvfrom");
extern int iphelper_host_shutdown(int, int) __asm__("shutdown");
extern int iphelper_host_setsockopt(int, int, int, const void *, unsigned int) __asm__("setsockopt");
extern int iphelper_host_getsockopt(int, int, int, void *, unsigned int *) __asm__("getsockopt");
extern int iphelper_host_ioctl(int, unsigned long, ...) __asm__("ioctl");
extern int iphelper_host_select(int, fd_set *, fd_set *, fd_set *, struct timeval *) __asm__("select");

static __inline__ USHORT htons(USHORT value)
{
    const BYTE bytes[2] = { (BYTE)(value >> 8), (BYTE)value };
    USHORT swapped;
    memcpy(&swapped, bytes, sizeof swapped);
    return swapped;
}

static __inline__ ULONG htonl(ULONG value)
{
    const BYTE bytes[4] = { (BYTE)(value >> 24), (BYTE)(value >> 16), (BYTE)(value >> 8), (BYTE)value };
    ULONG swapped;
    memcpy(&swapped, bytes, sizeof swapped);
    return swapped;
}

#define ntohs htons
#define ntohl htonl

/* An errno as Winsock's code. */
static __inline__ int iphelper_wsa_error(int number)
{
    switch (number) {
    case 0: return 0;
    case ERROR_IO_PENDING: return ERROR_IO_PENDING;
    case EINTR: return WSAEINTR;
    case EBADF: return WSAENOTSOCK;
    case EACCES: case EPERM: return WSAEACCES;
    case EFAULT: return WSAEFAULT;
    case EINVAL: return WSAEINVAL;
    case EMFILE: case ENFILE: return WSAEMFILE;
    case EAGAIN: return WSAEWOULDBLOCK;
    case EINPROGRESS: return WSAEWOULDBLOCK;
    case EALREADY: return WSAEALREADY;
    case ENOTSOCK: return WSAENOTSOCK;
    case EDESTADDRREQ: return WSAEDESTADDRREQ;
    case EMSGSIZE: return WSAEMSGSIZE;
    case EPROTOTYPE: return WSAEPROTOTYPE;
    case ENOPROTOOPT: return WSAENOPROTOOPT;
    case EPROTONOSUPPORT: return WSAEPROTONOSUPPORT;
    case EOPNOTSUPP: return WSAEOPNOTSUPP;
    case EAFNOSUPPORT: return WSAEAFNOSUPPORT;
    case EADDRINUSE: return WSAEADDRINUSE;
    case EADDRNOTAVAIL: return WSAEADDRNOTAVAIL;
    case ENETDOWN: return WSAENETDOWN;
    case ENETUNREACH: return WSAENETUNREACH;
    case ENETRESET: return WSAENETRESET;
    case ECONNABORTED: return WSAECONNABORTED;
    case ECONNRESET: case EPIPE: return WSAECONNRESET;
    case ENOBUFS: case ENOMEM: return WSAENOBUFS;
    case EISCONN: return WSAEISCONN;
    case ENOTCONN: return WSAENOTCONN;
    case ETIMEDOUT: return WSAETIMEDOUT;
    case ECONNREFUSED: return WSAECONNREFUSED;
    case EHOSTDOWN: return WSAEHOSTDOWN;
    case EHOSTUNREACH: return WSAEHOSTUNREACH;
    default: return number < 10000 ? 10000 + number : number;
    }
}

/* Winsock's names of what the base system has. */
#define WSA_IO_PENDING ERROR_IO_PENDING
#define WSAEVENT HANDLE
#define WSA_INVALID_EVENT ((WSAEVENT)NULL)
#define WSACreateEvent() CreateEventA(NULL, TRUE, FALSE, NULL)
#define WSACloseEvent CloseHandle
#define WSASetEvent SetEvent
#define WSAResetEvent ResetEvent
#define LPWSAEVENT LPHANDLE
#define WSA_INFINITE INFINITE
#define WSA_MAXIMUM_WAIT_EVENTS MAXIMUM_WAIT_OBJECTS
#define WSA_WAIT_EVENT_0 WAIT_OBJECT_0
#define WSA_WAIT_FAILED WAIT_FAILED
#define WSA_WAIT_IO_COMPLETION WAIT_IO_COMPLETION
#define WSA_WAIT_TIMEOUT WAIT_TIMEOUT
#define WSAWaitForMultipleEvents WaitForMultipleObjectsEx

static __inline__ int WSAGetLastError(VOID)
{
    return iphelper_wsa_error(errno);
}

/* Codes of Winsock lie above all of the host's, so that both can stand in errno. */
static __inline__ VOID WSASetLastError(int code)
{
    errno = code;
}

static __inline__ int WSAStartup(WORD version, LPWSADATA data)
{
    if (data == NULL)
        return WSAEFAULT;
    memset(data, 0, sizeof *data);
    data->wVersion = version;
    data->wHighVersion = MAKEWORD(2, 2);
    iphelper_snprintf(data->szDescription, sizeof data->szDescription, "iphelper");
    iphelper_snprintf(data->szSystemStatus, sizeof data->szSystemStatus, "Running");
    return 0;
}

static __inline__ int WSACleanup(VOID)
{
    return 0;
}

/* The host's number of a family, and Windows' number. */
static __inline__ int iphelper_host_family(int family)
{
    return family == AF_INET6 ? 10 : family;
}

static __inline__ int iphelper_windows_family(int family)
{
    return family == 10 ? AF_INET6 : family;
}

/* A copy of an address with the host's family; its size, or 0 if it is none. */
static __inline__ unsigned int iphelper_host_address(
    struct sockaddr_storage *copy, const struct sockaddr *address, int size)
{
    if (address == NULL || size < (int)sizeof address->sa_family || size > (int)sizeof *copy)
        return 0;
    memcpy(copy, address, (size_t)size);
    copy->ss_family = (ADDRESS_FAMILY)iphelper_host_family(copy->ss_family);
    return (unsigned int)size;
}

/* Gives an address that the host filled in Windows' family, and stores its size. */
static __inline__ void iphelper_windows_address(struct sockaddr *address, int *size, unsigned int host_size)
{
    if (size != NULL && address != NULL) {
        if (*size >= (int)sizeof address->sa_family && host_size >= sizeof address->sa_family)
            address->sa_family = (ADDRESS_FAMILY)iphelper_windows_family(address->sa_family);
        *size = (int)host_size;
    }
}

static __inline__ SOCKET iphelper_socket(int family, int type, int protocol)
{
    /* SOCK_CLOEXEC */
    return (SOCKET)(INT_PTR)iphelper_host_socket(iphelper_host_family(family), type | 02000000, protocol);
}

static __inline__ int closesocket(SOCKET socket_number)
{
    return iphelper_host_close((int)socket_number);
}

static __inline__ int iphelper_bind(SOCKET socket_number, const struct sockaddr *address, int size)
{
    struct sockaddr_storage copy;
    unsigned int host_size = iphelper_host_address(&copy, address, size);
    return iphelper_host_bind((int)socket_number, &copy, host_size);
}

static __inline__ int iphelper_connect(SOCKET socket_number, const struct sockaddr *address, int size)
{
    struct sockaddr_storage copy;
    unsigned int host_size = iphelper_host_address(&copy, address, size);
    return iphelper_host_connect((int)socket_number, &copy, host_size);
}

static __inline__ int iphelper_listen(SOCKET socket_number, int backlog)
{
    return iphelper_host_listen((int)socket_number, backlog);
}

static __inline__ SOCKET iphelper_accept(SOCKET socket_number, struct sockaddr *address, int *size)
{
    unsigned int host_size = size != NULL ? (unsigned int)*size : 0;
    int accepted = iphelper_host_accept((int)socket_number, address, size != NULL ? &host_size : NULL);
    if (accepted >= 0)
        iphelper_windows_address(address, size, host_size);
    return (SOCKET)(INT_PTR)accepted;
}

static __inline__ int iphelper_getsockname(SOCKET socket_number, struct sockaddr *address, int *size)
{
    unsigned int host_size = size != NULL ? (unsigned int)*size : 0;
    int result = iphelper_host_getsockname((int)socket_number, address, size != NULL ? &host_size : NULL);
    if (result == 0)
        iphelper_windows_address(address, size, host_size);
    return result;
}

static __inline__ int iphelper_getpeername(SOCKET socket_number, struct sockaddr *address, int *size)
{
    unsigned int host_size = size != NULL ? (unsigned int)*size : 0;
    int result = iphelper_host_getpeername((int)socket_number, address, size != NULL ? &host_size : NULL);
    if (result == 0)
        iphelper_windows_address(address, size, host_size);
    return result;
}

/* The host's flags, and MSG_NOSIGNAL: a broken connection is an error, never a signal. */
static __inline__ int iphelper_message_flags(int flags)
{
    return (flags & (MSG_OOB | MSG_PEEK)) | (flags & MSG_WAITALL ? 0x100 : 0) | 0x4000;
}

static __inline__ int iphelper_sendto(
    SOCKET socket_number, const char *bytes, int count, int flags, const struct sockaddr *address, int size)
{
    struct sockaddr_storage copy;
    unsigned int host_size = iphelper_host_address(&copy, address, size);
    return (int)iphelper_host_sendto((int)socket_number, bytes, (size_t)count, iphelper_message_flags(flags),
        host_size != 0 ? &copy : NULL, host_size);
}

static __inline__ int iphelper_send(SOCKET socket_number, const char *bytes, int count, int flags)
{
    return iphelper_sendto(socket_number, bytes, count, flags, NULL, 0);
}

static __inline__ int iphelper_recvfrom(
    SOCKET socket_number, char *bytes, int count, int flags, struct sockaddr *address, int *size)
{
    unsigned int host_size = size != NULL ? (unsigned int)*size : 0;
    int result = (int)iphelper_host_recvfrom((int)socket_number, bytes, (size_t)count, iphelper_message_flags(flags),
        address, size != NULL ? &host_size : NULL);
    if (result >= 0)
        iphelper_windows_address(address, size, host_size);
    return result;
}

static __inline__ int iphelper_recv(SOCKET socket_number, char *bytes, int count, int flags)
{
    return iphelper_recvfrom(socket_number, bytes, count, flags, NULL, NULL);
}

static __inline__ int iphelper_shutdown(SOCKET socket_number, int how)
{
    return iphelper_host_shutdown((int)socket_number, how);
}

static __inline__ int ioctlsocket(SOCKET socket_number, long command, ULONG *argument)
{
    int value = (int)*argument, result;
    switch ((ULONG)command) {
    case FIONBIO:
        return iphelper_host_ioctl((int)socket_number, 0x5421, &value);
    case FIONREAD:
        result = iphelper_host_ioctl((int)socket_number, 0x541B, &value);
        *argument = (ULONG)value;
        return result;
    default:
        errno = EOPNOTSUPP;
        return SOCKET_ERROR;
    }
}

/* The host's level and number of an option; 0 if this header does not know it. */
static __inline__ int iphelper_host_option(int level, int option, int *host_level)
{
    *host_level = level == SOL_SOCKET ? 1 : level;
    if (level == IPPROTO_TCP)
        return option == TCP_NODELAY ? 1 : 0;
    if (level == IPPROTO_IP)
        return option == IP_TTL ? 2 : 0;
    if (level == IPPROTO_IPV6)
        return option == IPV6_V6ONLY ? 26 : option == IPV6_UNICAST_HOPS ? 16 : 0;
    if (level != SOL_SOCKET)
        return 0;
    switch (option) {
    case SO_REUSEADDR: return 2;
    case SO_TYPE: return 3;
    case SO_ERROR: return 4;
    case SO_BROADCAST: return 6;
    case SO_SNDBUF: return 7;
    case SO_RCVBUF: return 8;
    case SO_KEEPALIVE: return 9;
    case SO_LINGER: return 13;
    case SO_RCVTIMEO: return 20;
    case SO_SNDTIMEO: return 21;
    default: return 0;
    }
}

static __inline__ int iphelper_setsockopt(SOCKET socket_number, int level, int option, const char *value, int size)
{
    int host_level, number = 0, host_option = iphelper_host_option(level, option, &host_level);
    if (level == SOL_SOCKET && option == SO_EXCLUSIVEADDRUSE)
        return 0; /* Linux shares an address with nobody who does not ask for it. */
    if (host_option == 0) {
        errno = ENOPROTOOPT;
        return SOCKET_ERROR;
    }
    if (value == NULL || size <= 0) {
        errno = EFAULT;
        return SOCKET_ERROR;
    }
    if (level == SOL_SOCKET && option == SO_LINGER) {
        struct linger given = { 0, 0 };
        int host[2];
        memcpy(&given, value, (size_t)size < sizeof given ? (size_t)size : sizeof given);
        host[0] = given.l_onoff;
        host[1] = given.l_linger;
        return iphelper_host_setsockopt((int)socket_number, host_level, host_option, host, sizeof host);
    }
    /* Options are numbers of one to four bytes here, of four there. */
    memcpy(&number, value, (size_t)size < sizeof number ? (size_t)size : sizeof number);
    if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO)) {
        struct timeval time;
        time.tv_sec = number / 1000;
        time.tv_usec = number % 1000 * 1000;
        return iphelper_host_setsockopt((int)socket_number, host_level, host_option, &time, sizeof time);
    }
    return iphelper_host_setsockopt((int)socket_number, host_level, host_option, &number, sizeof number);
}

static __inline__ int iphelper_getsockopt(SOCKET socket_number, int level, int option, char *value, int *size)
{
    int host_level, number = 0, result, host_option = iphelper_host_option(level, option, &host_level);
    unsigned int host_size = sizeof number;
    if (host_option == 0) {
        errno = ENOPROTOOPT;
        return SOCKET_ERROR;
    }
    if (value == NULL || size == NULL || *size <= 0) {
        errno = EFAULT;
        return SOCKET_ERROR;
    }
    if (level == SOL_SOCKET && option == SO_LINGER) {
        int host[2] = { 0, 0 };
        struct linger given;
        host_size = sizeof host;
        result = iphelper_host_getsockopt((int)socket_number, host_level, host_option, host, &host_size);
        given.l_onoff = (USHORT)host[0];
        given.l_linger = (USHORT)host[1];
        if (*size > (int)sizeof given)
            *size = (int)sizeof given;
        memcpy(value, &given, (size_t)*size);
        return result;
    }
    if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO)) {
        struct timeval time = { 0, 0 };
        host_size = sizeof time;
        result = iphelper_host_getsockopt((int)socket_number, host_level, host_option, &time, &host_size);
        number = (int)(time.tv_sec * 1000 + time.tv_usec / 1000);
    } else {
        result = iphelper_host_getsockopt((int)socket_number, host_level, host_option, &number, &host_size);
        if (level == SOL_SOCKET && option == SO_ERROR)
            number = iphelper_wsa_error(number);
    }
    if (*size > (int)sizeof number)
        *size = (int)sizeof number;
    memcpy(value, &number, (size_t)*size);
    return result;
}

/* The first argument means nothing on Windows, where programs pass 0. */
static __inline__ int iphelper_select(int count, fd_set *read, fd_set *write, fd_set *except, const struct timeval *time)
{
    struct timeval copy;
    (void)count;
    if (time != NULL)
        copy = *time;
    return iphelper_host_select(FD_SETSIZE, read, write, except, time != NULL ? &copy : NULL);
}

/*
 * Functions and no macros, for programs and the C++ library use these names for things of their own. Their symbols have other
 * names than the host's functions, which are called above.
 */
static __inline__ SOCKET socket(int family, int type, int protocol) IPHELPER_OWN("socket");
static __inline__ SOCKET socket(int family, int type, int protocol)
{
    return iphelper_socket(family, type, protocol);
}

static __inline__ int bind(SOCKET socket_number, const struct sockaddr *address, int size) IPHELPER_OWN("bind");
static __inline__ int bind(SOCKET socket_number, const struct sockaddr *address, int size)
{
    return iphelper_bind(socket_number, address, size);
}

static __inline__ int connect(SOCKET socket_number, const struct sockaddr *address, int size) IPHELPER_OWN("connect");
static __inline__ int connect(SOCKET socket_number, const struct sockaddr *address, int size)
{
    return iphelper_connect(socket_number, address, size);
}

static __inline__ int listen(SOCKET socket_number, int backlog) IPHELPER_OWN("listen");
static __inline__ int listen(SOCKET socket_number, int backlog)
{
    return iphelper_listen(socket_number, backlog);
}

static __inline__ SOCKET accept(SOCKET socket_number, struct sockaddr *address, int *size) IPHELPER_OWN("accept");
static __inline__ SOCKET accept(SOCKET socket_number, struct sockaddr *address, int *size)
{
    return iphelper_accept(socket_number, address, size);
}

static __inline__ int getsockname(
    SOCKET socket_number, struct sockaddr *address, int *size) IPHELPER_OWN("getsockname");
static __inline__ int getsockname(
    SOCKET socket_number, struct sockaddr *address, int *size)
{
    return iphelper_getsockname(socket_number, address, size);
}

static __inline__ int getpeername(
    SOCKET socket_number, struct sockaddr *address, int *size) IPHELPER_OWN("getpeername");
static __inline__ int getpeername(
    SOCKET socket_number, struct sockaddr *address, int *size)
{
    return iphelper_getpeername(socket_number, address, size);
}

static __inline__ int send(SOCKET socket_number, const char *bytes, int count, int flags) IPHELPER_OWN("send");
static __inline__ int send(SOCKET socket_number, const char *bytes, int count, int flags)
{
    return iphelper_send(socket_number, bytes, count, flags);
}

static __inline__ int recv(SOCKET socket_number, char *bytes, int count, int flags) IPHELPER_OWN("recv");
static __inline__ int recv(SOCKET socket_number, char *bytes, int count, int flags)
{
    return iphelper_recv(socket_number, bytes, count, flags);
}

static __inline__ int sendto(
    SOCKET socket_number, const char *bytes, int count, int flags, const struct sockaddr *address, int size) IPHELPER_OWN("sendto");
static __inline__ int sendto(
    SOCKET socket_number, const char *bytes, int count, int flags, const struct sockaddr *address, int size)
{
    return iphelper_sendto(socket_number, bytes, count, flags, address, size);
}

static __inline__ int recvfrom(
    SOCKET socket_number, char *bytes, int count, int flags, struct sockaddr *address, int *size) IPHELPER_OWN("recvfrom");
static __inline__ int recvfrom(
    SOCKET socket_number, char *bytes, int count, int flags, struct sockaddr *address, int *size)
{
    return iphelper_recvfrom(socket_number, bytes, count, flags, address, size);
}

static __inline__ int shutdown(SOCKET socket_number, int how) IPHELPER_OWN("shutdown");
static __inline__ int shutdown(SOCKET socket_number, int how)
{
    return iphelper_shutdown(socket_number, how);
}

static __inline__ int setsockopt(
    SOCKET socket_number, int level, int option, const char *value, int size) IPHELPER_OWN("setsockopt");
static __inline__ int setsockopt(
    SOCKET socket_number, int level, int option, const char *value, int size)
{
    return iphelper_setsockopt(socket_number, level, option, value, size);
}

static __inline__ int getsockopt(
    SOCKET socket_number, int level, int option, char *value, int *size) IPHELPER_OWN("getsockopt");
static __inline__ int getsockopt(
    SOCKET socket_number, int level, int option, char *value, int *size)
{
    return iphelper_getsockopt(socket_number, level, option, value, size);
}

/* The host's headers declare these two, so that there can be no others of the same names. */
#define select iphelper_select
extern int gethostname(char *, size_t) __THROW;

/* The address in dotted form, in a buffer of the calling thread that the next call fills anew. */
static __inline__ char *inet_ntoa(struct in_addr address)
{
    static __thread char text[16];
    iphelper_snprintf(text, sizeof text, "%u.%u.%u.%u", address.S_un.S_un_b.s_b1, address.S_un.S_un_b.s_b2,
        address.S_un.S_un_b.s_b3, address.S_un.S_un_b.s_b4);
    return text;
}

extern ULONG iphelper_host_inet_addr(const char *) __asm__("inet_addr");
static __inline__ ULONG inet_addr(const char *text) IPHELPER_OWN("inet_addr");
static __inline__ ULONG inet_addr(const char *text)
{
    return iphelper_host_inet_addr(text);
}

#ifdef __cplusplus
}
#endif

#endif
