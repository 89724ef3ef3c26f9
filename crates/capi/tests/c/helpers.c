/* What programs of Windows use beside IP Helper: locks, conditions, clocks, functions by their names, text of addresses. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <objbase.h>
#include <stdio.h>
#include <stdlib.h>

static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE changed = CONDITION_VARIABLE_INIT;
static CRITICAL_SECTION section;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static LONG64 volatile long_number;
static LONG number, initialised, turn;
static ULONG_PTR value[4];

static BOOL CALLBACK initialise(PINIT_ONCE of, PVOID parameter, PVOID *context)
{
    (void)of;
    InterlockedIncrement(&initialised);
    Sleep(20);
    *context = parameter;
    return TRUE;
}

static DWORD WINAPI count(LPVOID context)
{
    PVOID made = NULL;
    int i;
    InitOnceExecuteOnce(&once, initialise, value, &made);
    for (i = 0; i < 20000; i++) {
        AcquireSRWLockExclusive(&lock);
        number = number + 1;
        ReleaseSRWLockExclusive(&lock);
        AcquireSRWLockShared(&lock);
        InterlockedExchangeAdd64(&long_number, number != 0);
        ReleaseSRWLockShared(&lock);
    }
    (void)context;
    return made == value;
}

/* Each waits for its turn, the one by the lock, the other by the critical section. */
static DWORD WINAPI alternate(LPVOID context)
{
    LONG mine = (LONG)(INT_PTR)context;
    int i;
    for (i = 0; i < 500; i++) {
        AcquireSRWLockExclusive(&lock);
        while (turn != mine)
            SleepConditionVariableSRW(&changed, &lock, INFINITE, 0);
        turn = !mine;
        ReleaseSRWLockExclusive(&lock);
        WakeAllConditionVariable(&changed);
    }
    return 0;
}

static DWORD WINAPI tell(LPVOID context)
{
    (void)context;
    EnterCriticalSection(&section);
    turn = 7;
    LeaveCriticalSection(&section);
    WakeConditionVariable(&changed);
    return 0;
}

static BOOL CALLBACK refuse(PINIT_ONCE of, PVOID parameter, PVOID *context)
{
    (void)of;
    (void)parameter;
    (void)context;
    return FALSE;
}

static void locks(void)
{
    HANDLE threads[4];
    DWORD code, wrong = 0;
    INIT_ONCE never = INIT_ONCE_STATIC_INIT;
    PVOID made = NULL;
    int i;
    for (i = 0; i < 4; i++)
        threads[i] = CreateThread(NULL, 0, count, NULL, 0, NULL);
    WaitForMultipleObjects(4, threads, TRUE, INFINITE);
    for (i = 0; i < 4; i++) {
        GetExitCodeThread(threads[i], &code);
        wrong += code != 1;
        CloseHandle(threads[i]);
    }
    printf("%ld %lld %ld %lu\n", number, (long long)long_number, initialised, wrong);
    printf("%d", InitOnceExecuteOnce(&never, refuse, NULL, NULL) != FALSE);
    printf(" %d", InitOnceExecuteOnce(&never, initialise, NULL, &made) != FALSE);
    printf(" %d\n", made == NULL);

    threads[0] = CreateThread(NULL, 0, alternate, (LPVOID)0, 0, NULL);
    threads[1] = CreateThread(NULL, 0, alternate, (LPVOID)1, 0, NULL);
    printf("%lu", WaitForMultipleObjects(2, threads, TRUE, INFINITE));
    CloseHandle(threads[0]);
    CloseHandle(threads[1]);
    AcquireSRWLockShared(&lock);
    printf(" %d %d", TryAcquireSRWLockShared(&lock) != 0, TryAcquireSRWLockExclusive(&lock) != 0);
    ReleaseSRWLockShared(&lock);
    code = SleepConditionVariableSRW(&changed, &lock, 1, CONDITION_VARIABLE_LOCKMODE_SHARED);
    printf(" %lu %lu", code, GetLastError());
    ReleaseSRWLockShared(&lock);
    printf(" %d", TryAcquireSRWLockExclusive(&lock) != 0);
    ReleaseSRWLockExclusive(&lock);

    InitializeCriticalSection(&section);
    EnterCriticalSection(&section);
    threads[0] = CreateThread(NULL, 0, tell, NULL, 0, NULL);
    while (turn != 7)
        SleepConditionVariableCS(&changed, &section, INFINITE);
    LeaveCriticalSection(&section);
    WaitForSingleObject(threads[0], INFINITE);
    CloseHandle(threads[0]);
    DeleteCriticalSection(&section);
    printf(" %ld\n", turn);
}

static void numbers(void)
{
    LARGE_INTEGER frequency, before, after;
    LONG64 volatile wide = 5;
    LONG bits = 6;
    PVOID volatile pointer = NULL;
    PVOID mine = &bits;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&before);
    Sleep(20);
    QueryPerformanceCounter(&after);
    /* 20 ms, and no hour. */
    printf("%d", (after.QuadPart - before.QuadPart) * 1000 / frequency.QuadPart >= 19
        && (after.QuadPart - before.QuadPart) / frequency.QuadPart < 3600);
    printf(" %lld", (long long)InterlockedIncrement64(&wide));
    printf(" %lld", (long long)InterlockedCompareExchange64(&wide, 9, 6));
    printf(" %lld", (long long)InterlockedExchange64(&wide, 1));
    printf(" %lld", (long long)InterlockedDecrement64(&wide));
    printf(" %ld", InterlockedAnd(&bits, 3));
    printf(" %ld", InterlockedOr(&bits, 8));
    printf(" %ld", bits);
    printf(" %d", InterlockedCompareExchangePointer(&pointer, mine, NULL) == NULL);
    printf(" %d\n", InterlockedExchangePointer(&pointer, NULL) == mine);
}

typedef DWORD(WINAPI *get_number)(PDWORD);

static void names(void)
{
    HMODULE library = LoadLibraryW(L"C:\\Windows\\System32\\IPHLPAPI.DLL");
    get_number function = (get_number)(void *)GetProcAddress(library, "GetNumberOfInterfaces");
    DWORD interfaces = 0;
    printf("%lu", function != NULL ? function(&interfaces) : 99);
    printf(" %lu", interfaces);
    printf(" %d", GetModuleHandleA("iphlpapi") == library);
    printf(" %d", GetProcAddress(library, "GetNothing") == NULL);
    printf(" %lu", GetLastError());
    printf(" %d", FreeLibrary(library) != FALSE);
    printf(" %d", LoadLibraryA("no-such-library.dll") == NULL);
    printf(" %lu\n", GetLastError());
}

static void texts(void)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    WCHAR wide[64], far_too_short[4], number_text[] = L"192.0.2.1:80";
    char narrow[64], six_text[] = "[fe80::1%3]:53", nothing[] = "nothing";
    DWORD length = 64;
    INT size = sizeof four;
    int result;
    LPOLESTR text = NULL;
    CLSID guid;
    LPWSTR memory;

    printf("%d", WSAStringToAddressW(number_text, AF_INET, NULL, (LPSOCKADDR)&four, &size));
    printf(" %d %x %u", size, (unsigned)ntohl(four.sin_addr.s_addr), ntohs(four.sin_port));
    printf(" %d", WSAAddressToStringA((LPSOCKADDR)&four, sizeof four, NULL, narrow, &length));
    printf(" %s %lu", narrow, length);
    size = sizeof six;
    printf(" %d", WSAStringToAddressA(six_text, AF_INET6, NULL, (LPSOCKADDR)&six, &size));
    printf(" %lu %u", six.sin6_scope_id, ntohs(six.sin6_port));
    length = 64;
    printf(" %d", WSAAddressToStringW((LPSOCKADDR)&six, sizeof six, NULL, wide, &length));
    printf(" %ls %lu", wide, length);
    length = 4;
    result = WSAAddressToStringW((LPSOCKADDR)&six, sizeof six, NULL, far_too_short, &length);
    printf(" %d %d", result, WSAGetLastError());
    size = sizeof six;
    result = WSAStringToAddressA(nothing, AF_INET6, NULL, (LPSOCKADDR)&six, &size);
    printf(" %d %d\n", result, WSAGetLastError());

    printf("%d", (int)CLSIDFromString(L"{01020304-0506-0708-090a-0B0C0D0E0F10}", &guid));
    printf(" %d", SUCCEEDED(StringFromCLSID(&guid, &text)));
    printf(" %ls", text);
    CoTaskMemFree(text);
    printf(" %d", FAILED(CLSIDFromString(L"{01020304-0506-0708-090a-0B0C0D0E0F1}", &guid)));
    memory = (LPWSTR)LocalAlloc(LPTR, 64);
    printf(" %d %d", memory[31] == 0, lstrlenW(memory));
    printf(" %d", LocalFree(memory) == NULL);
    printf(" %d\n", SetConsoleOutputCP(CP_UTF8) != FALSE);
}

static void requests(void)
{
    OVERLAPPED request;
    HANDLE handle = NULL;
    ZeroMemory(&request, sizeof request);
    request.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    printf("%lu", NotifyAddrChange(&handle, &request));
    printf(" %d", CancelIoEx(handle, &request) != FALSE);
    printf(" %lu", WaitForSingleObject(request.hEvent, INFINITE));
    printf(" %d", CancelIoEx(handle, &request) != FALSE);
    printf(" %lu\n", GetLastError());
    CloseHandle(request.hEvent);
}

int main(void)
{
    WSADATA data;
    C_ASSERT(sizeof(WCHAR) == 2);
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    locks();
    numbers();
    names();
    texts();
    requests();
    WSACleanup();
    fflush(stdout);
    ExitProcess(0);
}
