//! A kernel that refuses one write, so that what follows a refusal can be tested.

/// Makes this thread's `pwrite` of exactly `len` bytes fail with `errno`, from now on and for all threads and programs
/// that it starts. Everything else stays as it is. Call it on a thread made for the purpose.
pub fn refuse_writes_of(len: usize, errno: i32) {
    filter(libc::SYS_pwrite64, len, libc::SECCOMP_RET_ERRNO | errno.unsigned_abs());
}

/// The same for `send`.
pub fn refuse_sends_of(len: usize, errno: i32) {
    filter(libc::SYS_sendto, len, libc::SECCOMP_RET_ERRNO | errno.unsigned_abs());
}

/// Makes this process die, without a chance to tidy up, at its next `pwrite` of exactly `len` bytes on this thread.
pub fn die_at_write_of(len: usize) {
    filter(libc::SYS_pwrite64, len, libc::SECCOMP_RET_KILL_PROCESS);
}

/// Makes this process die, without a chance to tidy up, at its next system call with this number on this thread.
pub fn die_at(call: i64) {
    let load = |offset| libc::sock_filter { code: BPF_LD_W_ABS, jt: 0, jf: 0, k: offset };
    let answer = |action| libc::sock_filter { code: BPF_RET_K, jt: 0, jf: 0, k: action };
    let k = u32::try_from(call).expect("a system call's number");
    install(&mut [
        load(0),
        libc::sock_filter { code: BPF_JMP_JEQ_K, jt: 0, jf: 1, k },
        answer(libc::SECCOMP_RET_KILL_PROCESS),
        answer(libc::SECCOMP_RET_ALLOW),
    ]);
}

/// Both calls have the length as their third argument.
fn filter(call: libc::c_long, len: usize, action: u32) {
    let load = |offset| libc::sock_filter { code: BPF_LD_W_ABS, jt: 0, jf: 0, k: offset };
    let unless = |value, skip| libc::sock_filter { code: BPF_JMP_JEQ_K, jt: 0, jf: skip, k: value };
    let answer = |action| libc::sock_filter { code: BPF_RET_K, jt: 0, jf: 0, k: action };
    let number = u32::try_from(call).expect("a system call's number");
    // struct seccomp_data: the call's number, then from octet 16 its arguments, eight octets each.
    let low_half_of_third = if cfg!(target_endian = "little") { 32 } else { 36 };
    install(&mut [
        load(0),
        unless(number, 3),
        load(low_half_of_third),
        unless(u32::try_from(len).expect("a short write"), 1),
        answer(action),
        answer(libc::SECCOMP_RET_ALLOW),
    ]);
}

/// Lets a program decide on every system call of this thread from now on.
fn install(program: &mut [libc::sock_filter]) {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).expect("a short program"),
        filter: program.as_mut_ptr(),
    };
    // SAFETY: no pointer is passed.
    let sealed = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(sealed, 0, "giving up new privileges: {}", std::io::Error::last_os_error());
    // SAFETY: the third argument points to a live program, which the kernel copies and checks.
    let filtered =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    assert_eq!(filtered, 0, "installing a filter of system calls: {}", std::io::Error::last_os_error());
}

const BPF_LD_W_ABS: u16 = 0x20;
const BPF_JMP_JEQ_K: u16 = 0x15;
const BPF_RET_K: u16 = 0x06;
