/* Part of iphelper, MIT OR Apache-2.0. */
/* Events, and waiting for them. What is declared here is in libiphlpapi. */
/* Includes this one in its place. */
#include <winbase.h>
#include <errno.h>
#include <sys/syscall.h>
#include <sysinfoapi.h>

#ifndef _SYNCHAPI_H_
#define _SYNCHAPI_H_

#ifdef __cplusplus
extern "C" {
#endif

#define INFINITE 0xFFFFFFFF
#define WAIT_OBJECT_0 0x00000000
#define WAIT_ABANDONED 0x00000080
#define WAIT_ABANDONED_0 0x00000080
#define WAIT_IO_COMPLETION 0x000000C0
#define WAIT_TIMEOUT 258
#define WAIT_FAILED ((DWORD)0xFFFFFFFF)
#define MAXIMUM_WAIT_OBJECTS 64

/* Before they wait, these show what the program wrote, as a console of Windows does. */
VOID WINAPI Sleep(DWORD dwMilliseconds);
DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable);
DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds);
DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable);
DWORD WINAPI WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll, DWORD dwMilliseconds);
DWORD WINAPI WaitForMultipleObjectsEx(
    DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll, DWORD dwMilliseconds, BOOL bAlertable);

/* Events of this process: neither has a name or a security descriptor. */
HANDLE WINAPI CreateEventA(
    LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset, BOOL bInitialState, LPCSTR lpName);
HANDLE WINAPI CreateEventW(
    LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset, BOOL bInitialState, LPCWSTR lpName);
#ifdef UNICODE
#define CreateEvent CreateEventW
#else
#define CreateEvent CreateEventA
#endif
BOOL WINAPI SetEvent(HANDLE hEvent);
BOOL WINAPI ResetEvent(HANDLE hEvent);

/* A lock, which the thread that has it may take again. A wait for it sleeps at once, whatever the count of spins. */
typedef struct _RTL_CRITICAL_SECTION {
    PVOID DebugInfo;
    LONG LockCount;
    LONG RecursionCount;
    HANDLE OwningThread;
    HANDLE LockSemaphore;
    ULONG_PTR SpinCount;
} RTL_CRITICAL_SECTION, CRITICAL_SECTION, *PCRITICAL_SECTION, *LPCRITICAL_SECTION;

VOID WINAPI InitializeCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount);
BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount, DWORD Flags);
VOID WINAPI EnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
VOID WINAPI LeaveCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
VOID WINAPI DeleteCriticalSection(LPCRITICAL_SECTION lpCriticalSection);

/* Locks, conditions and what is done once: of a pointer's size, nothing to begin with, and not freed. */
typedef struct _RTL_SRWLOCK {
    PVOID Ptr;
} RTL_SRWLOCK, SRWLOCK, *PRTL_SRWLOCK, *PSRWLOCK;
typedef struct _RTL_CONDITION_VARIABLE {
    PVOID Ptr;
} RTL_CONDITION_VARIABLE, CONDITION_VARIABLE, *PRTL_CONDITION_VARIABLE, *PCONDITION_VARIABLE;
typedef union _RTL_RUN_ONCE {
    PVOID Ptr;
} RTL_RUN_ONCE, INIT_ONCE, *PRTL_RUN_ONCE, *PINIT_ONCE, *LPINIT_ONCE;
#define SRWLOCK_INIT { 0 }
#define CONDITION_VARIABLE_INIT { 0 }
#define INIT_ONCE_STATIC_INIT { 0 }
#define CONDITION_VARIABLE_LOCKMODE_SHARED 1
typedef BOOL(WINAPI *PINIT_ONCE_FN)(PINIT_ONCE InitOnce, PVOID Parameter, PVOID *Context);

/* Their first 32 bits are what threads wait for. */
typedef unsigned int __attribute__((__may_alias__)) iphelper_word;
extern long iphelper_host_syscall(long, ...) __asm__("syscall");

/* FALSE when the time was over; a wait may end without a reason. A private futex, FUTEX_WAIT. */
static __inline__ BOOL iphelper_wait_word(iphelper_word *word, unsigned int value, DWORD milliseconds)
{
    struct iphelper_timespec time;
    time.seconds = (long)(milliseconds / 1000);
    time.nanoseconds = (long)(milliseconds % 1000) * 1000000;
    return iphelper_host_syscall(SYS_futex, word, 128, value, milliseconds == INFINITE ? NULL : &time) == 0
        || errno != ETIMEDOUT;
}

static __inline__ VOID iphelper_wake_word(iphelper_word *word, int count)
{
    (void)iphelper_host_syscall(SYS_futex, word, 128 | 1, count);
}

#define IPHELPER_WAITED_FOR 0x80000000U
#define IPHELPER_EXCLUSIVE 0x7FFFFFFFU

/* So many threads share it, or one has it alone; the highest bit tells that others wait. */
static __inline__ BOOL iphelper_try_lock(PSRWLOCK lock, BOOL exclusive)
{
    iphelper_word *word = (iphelper_word *)lock;
    unsigned int value = __atomic_load_n(word, __ATOMIC_RELAXED), taken;
    do {
        taken = value & IPHELPER_EXCLUSIVE;
        if (exclusive ? taken != 0 : taken >= IPHELPER_EXCLUSIVE - 1)
            return FALSE;
    } while (!__atomic_compare_exchange_n(word, &value, exclusive ? value | IPHELPER_EXCLUSIVE : value + 1, 1,
        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return TRUE;
}

static __inline__ VOID iphelper_lock(PSRWLOCK lock, BOOL exclusive)
{
    iphelper_word *word = (iphelper_word *)lock;
    while (!iphelper_try_lock(lock, exclusive)) {
        unsigned int value = __atomic_load_n(word, __ATOMIC_RELAXED);
        unsigned int taken = value & IPHELPER_EXCLUSIVE;
        if (exclusive ? taken == 0 : taken < IPHELPER_EXCLUSIVE - 1)
            continue;
        if (__atomic_compare_exchange_n(
                word, &value, value | IPHELPER_WAITED_FOR, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            (void)iphelper_wait_word(word, value | IPHELPER_WAITED_FOR, INFINITE);
    }
}

static __inline__ VOID InitializeSRWLock(PSRWLOCK lock)
{
    lock->Ptr = NULL;
}

static __inline__ VOID AcquireSRWLockExclusive(PSRWLOCK lock)
{
    iphelper_lock(lock, TRUE);
}

static __inline__ VOID AcquireSRWLockShared(PSRWLOCK lock)
{
    iphelper_lock(lock, FALSE);
}

static __inline__ BOOLEAN TryAcquireSRWLockExclusive(PSRWLOCK lock)
{
    return (BOOLEAN)iphelper_try_lock(lock, TRUE);
}

static __inline__ BOOLEAN TryAcquireSRWLockShared(PSRWLOCK lock)
{
    return (BOOLEAN)iphelper_try_lock(lock, FALSE);
}

static __inline__ VOID ReleaseSRWLockExclusive(PSRWLOCK lock)
{
    if (__atomic_exchange_n((iphelper_word *)lock, 0, __ATOMIC_RELEASE) & IPHELPER_WAITED_FOR)
        iphelper_wake_word((iphelper_word *)lock, 0x7FFFFFFF);
}

static __inline__ VOID ReleaseSRWLockShared(PSRWLOCK lock)
{
    /* The last one: whoever waits looks again. */
    if (__atomic_sub_fetch((iphelper_word *)lock, 1, __ATOMIC_RELEASE) == IPHELPER_WAITED_FOR) {
        (void)__atomic_fetch_and((iphelper_word *)lock, ~IPHELPER_WAITED_FOR, __ATOMIC_RELAXED);
        iphelper_wake_word((iphelper_word *)lock, 0x7FFFFFFF);
    }
}

static __inline__ VOID InitializeConditionVariable(PCONDITION_VARIABLE condition)
{
    condition->Ptr = NULL;
}

/* A condition counts how often it was told. */
static __inline__ VOID WakeConditionVariable(PCONDITION_VARIABLE condition)
{
    (void)__atomic_add_fetch((iphelper_word *)condition, 1, __ATOMIC_SEQ_CST);
    iphelper_wake_word((iphelper_word *)condition, 1);
}

static __inline__ VOID WakeAllConditionVariable(PCONDITION_VARIABLE condition)
{
    (void)__atomic_add_fetch((iphelper_word *)condition, 1, __ATOMIC_SEQ_CST);
    iphelper_wake_word((iphelper_word *)condition, 0x7FFFFFFF);
}

static __inline__ BOOL SleepConditionVariableSRW(
    PCONDITION_VARIABLE condition, PSRWLOCK lock, DWORD milliseconds, ULONG flags)
{
    BOOL shared = (flags & CONDITION_VARIABLE_LOCKMODE_SHARED) != 0, told;
    unsigned int count = __atomic_load_n((iphelper_word *)condition, __ATOMIC_SEQ_CST);
    if (shared)
        ReleaseSRWLockShared(lock);
    else
        ReleaseSRWLockExclusive(lock);
    told = iphelper_wait_word((iphelper_word *)condition, count, milliseconds);
    iphelper_lock(lock, !shared);
    if (!told)
        SetLastError(ERROR_TIMEOUT);
    return told;
}

static __inline__ BOOL SleepConditionVariableCS(
    PCONDITION_VARIABLE condition, PCRITICAL_SECTION section, DWORD milliseconds)
{
    BOOL told;
    unsigned int count = __atomic_load_n((iphelper_word *)condition, __ATOMIC_SEQ_CST);
    LeaveCriticalSection(section);
    told = iphelper_wait_word((iphelper_word *)condition, count, milliseconds);
    EnterCriticalSection(section);
    if (!told)
        SetLastError(ERROR_TIMEOUT);
    return told;
}

static __inline__ VOID InitOnceInitialize(PINIT_ONCE once)
{
    once->Ptr = NULL;
}

/* 0 before, 1 meanwhile, then the context, whose two lowest bits are free, and 2. */
static __inline__ BOOL InitOnceExecuteOnce(PINIT_ONCE once, PINIT_ONCE_FN function, PVOID parameter, LPVOID *context)
{
    for (;;) {
        PVOID now = NULL;
        if (__atomic_compare_exchange_n(&once->Ptr, &now, (PVOID)1, 0, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
            PVOID made = NULL;
            BOOL done = function(once, parameter, &made);
            now = done ? (PVOID)((ULONG_PTR)made | 2) : NULL;
            __atomic_store_n(&once->Ptr, now, __ATOMIC_RELEASE);
            iphelper_wake_word((iphelper_word *)once, 0x7FFFFFFF);
            if (!done)
                return FALSE;
        }
        if (now == (PVOID)1) {
            (void)iphelper_wait_word((iphelper_word *)once, 1, INFINITE);
            continue;
        }
        if (context != NULL)
            *context = (LPVOID)((ULONG_PTR)now & ~(ULONG_PTR)3);
        return TRUE;
    }
}

#ifdef __cplusplus
}
#endif

#endif
