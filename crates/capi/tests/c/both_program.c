/*
 * A program with a part that is written as a driver: the same name answers with a Win32 code here and with NTSTATUS
 * there. Then both libraries once more, opened by name.
 */
#include <windows.h>

#include <dlfcn.h>
#include <netioapi.h>

extern LONG driver_flavour(NET_IFINDEX index);

static DWORD opened(const char *library, NET_IFINDEX index)
{
    MIB_IF_ROW2 row;
    DWORD (*entry)(PMIB_IF_ROW2);
    void *handle = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
    if (handle == NULL) {
        printf("%s\n", dlerror());
        exit(2);
    }
    entry = (DWORD(*)(PMIB_IF_ROW2))(ULONG_PTR)dlsym(handle, "GetIfEntry2");
    ZeroMemory(&row, sizeof row);
    row.InterfaceIndex = index;
    return entry(&row);
}

int main(void)
{
    const NET_IFINDEX nobody = 0x7FFFFFFF;
    MIB_IF_ROW2 row;
    ZeroMemory(&row, sizeof row);
    row.InterfaceIndex = nobody;
    printf("linked %lu 0x%08lX\n", GetIfEntry2(&row), driver_flavour(nobody));
    printf("opened %lu 0x%08lX\n", opened("libiphlpapi.so.1", nobody), opened("libnetio.so.1", nobody));
    return 0;
}
