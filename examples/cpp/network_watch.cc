// Lists the adapters with their addresses, then tells of addresses that come and go until the input ends: a program for
// Windows.
//
//     g++ -std=c++17 network_watch.cc $(pkg-config --cflags --libs iphlpapi-c++)       on Linux
//     x86_64-w64-mingw32-g++-posix -std=c++17 network_watch.cc -liphlpapi -lws2_32           for Windows
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>

#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

// A string of the interface's: std::wstring on Windows, std::u16string on Linux.
using wide = std::basic_string<WCHAR>;

struct free_table {
    void operator()(void *table) const { FreeMibTable(table); }
};

void check(const char *function, DWORD code)
{
    if (code != NO_ERROR)
        throw std::runtime_error(std::string(function) + ": " + std::to_string(code));
}

std::string utf8(const wide &text)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, text.c_str(), -1, nullptr, 0, nullptr, nullptr);
    std::string narrow(size > 0 ? size - 1 : 0, '\0');
    if (!narrow.empty())
        WideCharToMultiByte(CP_UTF8, 0, text.c_str(), -1, &narrow[0], size, nullptr, nullptr);
    return narrow;
}

std::string shown(const SOCKADDR_INET &address)
{
    char text[INET6_ADDRSTRLEN] = "?";
    if (address.si_family == AF_INET)
        inet_ntop(AF_INET, &address.Ipv4.sin_addr, text, sizeof text);
    else
        inet_ntop(AF_INET6, &address.Ipv6.sin6_addr, text, sizeof text);
    return text;
}

std::string name_of(const NET_LUID &luid)
{
    wide name(IF_MAX_STRING_SIZE + 1, 0);
    if (ConvertInterfaceLuidToAlias(&luid, &name[0], name.size()) != NO_ERROR)
        return "?";
    return utf8(name.c_str());
}

void adapters()
{
    ULONG size = 15000, code;
    std::vector<BYTE> memory;
    IP_ADAPTER_ADDRESSES *first = nullptr;
    do {
        memory.resize(size);
        first = reinterpret_cast<IP_ADAPTER_ADDRESSES *>(memory.data());
        code = GetAdaptersAddresses(AF_UNSPEC, GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST, nullptr, first, &size);
    } while (code == ERROR_BUFFER_OVERFLOW);
    check("GetAdaptersAddresses", code);
    for (auto *adapter = first; adapter != nullptr; adapter = adapter->Next) {
        std::cout << utf8(adapter->FriendlyName) << " MTU " << adapter->Mtu
                  << (adapter->OperStatus == IfOperStatusUp ? " up" : " down");
        for (auto *unicast = adapter->FirstUnicastAddress; unicast != nullptr; unicast = unicast->Next) {
            SOCKADDR_INET address = {};
            std::memcpy(&address, unicast->Address.lpSockaddr, unicast->Address.iSockaddrLength);
            std::cout << ' ' << shown(address) << '/' << int(unicast->OnLinkPrefixLength);
        }
        std::cout << '\n';
    }
}

// What the callback puts in and the printing thread takes out.
class changes {
public:
    void put(std::string text)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        waiting_.push_back(std::move(text));
        changed_.notify_one();
    }

    // False once `end` was called and nothing is left.
    bool take(std::string &text)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
        if (waiting_.empty())
            return false;
        text = std::move(waiting_.front());
        waiting_.pop_front();
        return true;
    }

    void end()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        ended_ = true;
        changed_.notify_one();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> waiting_;
    bool ended_ = false;
};

VOID WINAPI on_change(PVOID context, PMIB_UNICASTIPADDRESS_ROW row, MIB_NOTIFICATION_TYPE type)
{
    auto &queue = *static_cast<changes *>(context);
    if (row == nullptr) {
        queue.put("watching");
        return;
    }
    const char *what = type == MibAddInstance ? " added" : type == MibDeleteInstance ? " deleted" : " changed";
    queue.put(shown(row->Address) + what);
}

// A registration that ends with its scope.
class registration {
public:
    explicit registration(changes &queue)
    {
        check("NotifyUnicastIpAddressChange",
            NotifyUnicastIpAddressChange(AF_UNSPEC, on_change, &queue, TRUE, &handle_));
    }
    registration(const registration &) = delete;
    registration &operator=(const registration &) = delete;
    ~registration() { CancelMibChangeNotify2(handle_); }

private:
    HANDLE handle_ = nullptr;
};

void default_routes()
{
    PMIB_IPFORWARD_TABLE2 table = nullptr;
    check("GetIpForwardTable2", GetIpForwardTable2(AF_UNSPEC, &table));
    const std::unique_ptr<MIB_IPFORWARD_TABLE2, free_table> rows(table);
    for (ULONG number = 0; number < rows->NumEntries; number++) {
        const MIB_IPFORWARD_ROW2 &row = rows->Table[number];
        if (row.DestinationPrefix.PrefixLength == 0)
            std::cout << "default by " << shown(row.NextHop) << " on " << name_of(row.InterfaceLuid) << '\n';
    }
}

} // namespace

int main()
try {
    WSADATA start;
    check("WSAStartup", WSAStartup(MAKEWORD(2, 2), &start));
    adapters();
    default_routes();
    changes queue;
    std::thread printer([&queue] {
        for (std::string text; queue.take(text);)
            std::cout << text << std::endl;
    });
    {
        const registration watch(queue);
        for (std::string line; std::getline(std::cin, line);)
            continue;
    }
    queue.end();
    printer.join();
    return EXIT_SUCCESS;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
}
