// What a C++ program has beside Windows' headers: the whole library, and members named as functions of sockets.
#include <Winsock2.h>
#include <WS2tcpip.h>
#include <Iphlpapi.h>
#include <IcmpAPI.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iomanip>
#include <iostream>
#include <locale>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <variant>
#include <vector>

struct Channel {
    int send(int number) { return number; }
    int connect() { return 1; }
    void bind(int) {}
    bool select(int, int) { return true; }
};

struct Operations {
    int (*send)(int);
    int (*recv)(int, int);
};

static int same(int number)
{
    return number;
}

int main()
{
    auto bound = std::bind(same, 3);
    Operations operations = { same, nullptr };
    Channel channel;
    channel.bind(1);
    std::printf("%d %d %d %d %lu\n", bound(), operations.send(4), channel.send(5),
        channel.connect() + channel.select(1, 2), (DWORD)-1);

    MIB_IF_ROW2 row = {};
    row.InterfaceIndex = 1;
    if (GetIfEntry2(&row) != NO_ERROR)
        return 1;
    std::basic_string<WCHAR> alias = row.Alias;
    std::printf("%u %ls %d\n", (unsigned)alias.size(), row.Alias, alias == u"lo");

    SOCKET handle = ::socket(AF_INET6, SOCK_DGRAM, 0);
    sockaddr_in6 address = {};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    socklen_t size = sizeof address;
    char name[256];
    std::cout << ::bind(handle, reinterpret_cast<sockaddr *>(&address), sizeof address)
              << ::getsockname(handle, reinterpret_cast<sockaddr *>(&address), &size) << ' ' << address.sin6_family
              << ' ' << gethostname(name, sizeof name) << std::endl;
    fd_set set;
    timeval time = { 0, 0 };
    FD_ZERO(&set);
    FD_SET(handle, &set);
    std::cout << select(0, &set, nullptr, nullptr, &time) << std::endl;
    return closesocket(handle);
}
