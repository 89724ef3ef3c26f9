/* Threads that share a number by a critical section. */
#include <windows.h>
#include <stdio.h>

static CRITICAL_SECTION section;
static volatile LONG number;

static DWORD WINAPI count(LPVOID context)
{
    int turn;
    for (turn = 0; turn < 20000; turn++) {
        EnterCriticalSection(&section);
        EnterCriticalSection(&section);
        number = number + 1;
        LeaveCriticalSection(&section);
        LeaveCriticalSection(&section);
    }
    (void)context;
    return TryEnterCriticalSection(&section) ? (LeaveCriticalSection(&section), 1) : 0;
}

static DWORD WINAPI attempt(LPVOID context)
{
    (void)context;
    return TryEnterCriticalSection(&section) != FALSE;
}

int main(void)
{
    HANDLE threads[4];
    DWORD code = 7;
    int i;
    InitializeCriticalSection(&section);
    for (i = 0; i < 4; i++)
        threads[i] = CreateThread(NULL, 0, count, NULL, 0, NULL);
    printf("%lu ", WaitForMultipleObjects(4, threads, TRUE, INFINITE));
    for (i = 0; i < 4; i++)
        CloseHandle(threads[i]);
    printf("%ld ", number);
    /* Another thread cannot enter while this one is inside. */
    EnterCriticalSection(&section);
    printf("%d ", TryEnterCriticalSection(&section) != FALSE);
    LeaveCriticalSection(&section);
    threads[0] = CreateThread(NULL, 0, attempt, NULL, 0, NULL);
    WaitForSingleObject(threads[0], INFINITE);
    GetExitCodeThread(threads[0], &code);
    printf("%lu ", code);
    CloseHandle(threads[0]);
    LeaveCriticalSection(&section);
    threads[0] = CreateThread(NULL, 0, attempt, NULL, 0, NULL);
    WaitForSingleObject(threads[0], INFINITE);
    GetExitCodeThread(threads[0], &code);
    printf("%lu\n", code);
    CloseHandle(threads[0]);
    DeleteCriticalSection(&section);
    return 0;
}
