/* Shows the DNS settings of the interface named by the first argument; sets its IPv4 servers to the second, if given. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>

#pragma comment(lib, "iphlpapi.lib")

static void show(const char *name, const WCHAR *text)
{
    printf("%s ", name);
    while (text != NULL && *text != 0)
        putchar((char)*text++);
    putchar('\n');
}

int main(int argc, char **argv)
{
    NET_LUID luid;
    GUID guid;
    DNS_INTERFACE_SETTINGS3 settings;
    DNS_SETTINGS host;
    WCHAR servers[128];
    DWORD result;
    int i;

    if (argc < 2 || ConvertInterfaceNameToLuidA(argv[1], &luid) != NO_ERROR
        || ConvertInterfaceLuidToGuid(&luid, &guid) != NO_ERROR)
        return 2;
    if (argc > 2) {
        for (i = 0; i < 127 && argv[2][i] != 0; i++)
            servers[i] = (WCHAR)argv[2][i];
        servers[i] = 0;
        ZeroMemory(&settings, sizeof(settings));
        settings.Version = DNS_INTERFACE_SETTINGS_VERSION3;
        settings.Flags = DNS_SETTING_NAMESERVER;
        settings.NameServer = servers;
        result = SetInterfaceDnsSettings(guid, (DNS_INTERFACE_SETTINGS *)&settings);
        if (result != NO_ERROR) {
            printf("error %lu\n", (unsigned long)result);
            return 1;
        }
    }
    ZeroMemory(&settings, sizeof(settings));
    settings.Version = DNS_INTERFACE_SETTINGS_VERSION3;
    result = GetInterfaceDnsSettings(guid, (DNS_INTERFACE_SETTINGS *)&settings);
    if (result != NO_ERROR)
        return 1;
    show("servers", settings.NameServer);
    show("search", settings.SearchList);
    FreeInterfaceDnsSettings((DNS_INTERFACE_SETTINGS *)&settings);
    ZeroMemory(&host, sizeof(host));
    host.Version = DNS_SETTINGS_VERSION1;
    if (GetDnsSettings(&host) != NO_ERROR)
        return 1;
    show("host", host.SearchList);
    FreeDnsSettings(&host);
    return host.SearchList == NULL ? 0 : 1;
}
