/* Sockets as Windows programs use them: over IPv6, whose family has another number on the host, and IPv4. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <stdio.h>

static int fails(const char *what)
{
    printf("%s: %d\n", what, WSAGetLastError());
    return 1;
}

/* A connection to oneself: what is sent comes in, and both ends have addresses of the family. */
static int converse(int family, const char *host)
{
    struct addrinfo hints, *list;
    struct sockaddr_storage end, peer;
    int size = sizeof end, number = 0, number_size = sizeof number;
    DWORD timeout = 5000, on = 1;
    u_long nonblocking = 1;
    struct linger linger = { 1, 0 };
    char byte = 0, text[INET6_ADDRSTRLEN], service[NI_MAXSERV];
    fd_set ready;
    struct timeval wait = { 5, 0 };
    SOCKET listener, client, server;

    ZeroMemory(&hints, sizeof(hints));
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_protocol = IPPROTO_TCP;
    hints.ai_flags = AI_NUMERICHOST;
    if (getaddrinfo(host, "0", &hints, &list) != 0)
        return fails("getaddrinfo");
    if (list->ai_family != family || list->ai_addr->sa_family != family)
        return fails("family of getaddrinfo");
    listener = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
    if (listener == INVALID_SOCKET)
        return fails("socket");
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, (const char *)&on, sizeof on) != 0)
        return fails("SO_REUSEADDR");
    if (bind(listener, list->ai_addr, (int)list->ai_addrlen) != 0 || listen(listener, SOMAXCONN) != 0)
        return fails("bind");
    freeaddrinfo(list);
    if (getsockname(listener, (struct sockaddr *)&end, &size) != 0 || end.ss_family != family)
        return fails("getsockname");
    client = socket(family, SOCK_STREAM, 0);
    if (connect(client, (struct sockaddr *)&end, size) != 0)
        return fails("connect");
    size = sizeof peer;
    server = accept(listener, (struct sockaddr *)&peer, &size);
    if (server == INVALID_SOCKET || peer.ss_family != family)
        return fails("accept");
    if (getnameinfo((struct sockaddr *)&peer, size, text, sizeof text, service, sizeof service,
            NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return fails("getnameinfo");
    if (setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, (const char *)&timeout, sizeof timeout) != 0
        || getsockopt(server, SOL_SOCKET, SO_RCVTIMEO, (char *)&number, &number_size) != 0 || number != 5000)
        return fails("SO_RCVTIMEO");
    if (setsockopt(client, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof on) != 0)
        return fails("TCP_NODELAY");
    if (send(client, "x", 1, 0) != 1)
        return fails("send");
    FD_ZERO(&ready);
    FD_SET(server, &ready);
    if (select(0, &ready, NULL, NULL, &wait) != 1 || recv(server, &byte, 1, 0) != 1 || byte != 'x')
        return fails("recv");
    if (ioctlsocket(server, FIONBIO, &nonblocking) != 0 || recv(server, &byte, 1, 0) != SOCKET_ERROR)
        return fails("FIONBIO");
    printf("%s %s %d\n", family == AF_INET6 ? "IPv6" : "IPv4", text, WSAGetLastError() == WSAEWOULDBLOCK);
    /* Closed with a reset. */
    if (setsockopt(client, SOL_SOCKET, SO_LINGER, (const char *)&linger, sizeof linger) != 0)
        return fails("SO_LINGER");
    closesocket(client);
    nonblocking = 0;
    ioctlsocket(server, FIONBIO, &nonblocking);
    if (recv(server, &byte, 1, 0) != SOCKET_ERROR || WSAGetLastError() != WSAECONNRESET)
        return fails("a reset");
    closesocket(server);
    closesocket(listener);
    return 0;
}

int main(void)
{
    WSADATA data;
    IN6_ADDR six;
    IN_ADDR four;
    char text[INET6_ADDRSTRLEN];
    WCHAR wide[INET6_ADDRSTRLEN];
    SOCKET datagrams;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    if (inet_pton(AF_INET6, "fe80::1", &six) != 1 || !IN6_IS_ADDR_LINKLOCAL(&six) || six.u.Byte[15] != 1)
        return fails("inet_pton");
    if (inet_ntop(AF_INET6, &six, text, sizeof text) == NULL || InetNtopW(AF_INET6, &six, wide, 65) == NULL)
        return fails("inet_ntop");
    four.S_un.S_addr = htonl(INADDR_LOOPBACK);
    printf("%s %ls %s %u %08lX %d\n", text, wide, inet_ntoa(four), ntohs(htons(4444)), ntohl(htonl(0x01020304)),
        inet_addr("127.0.0.1") == four.S_un.S_addr);
    datagrams = socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
    if (datagrams == INVALID_SOCKET || closesocket(datagrams) != 0)
        return fails("UDP");
    if (converse(AF_INET6, "::1") != 0 || converse(AF_INET, "127.0.0.1") != 0)
        return 1;
    WSACleanup();
    return 0;
}
