//! The exported functions as the libraries list them, callable with values that were made without knowing their types.

use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::raw::GUID;
use std::mem::MaybeUninit;

/// An argument, whatever its type: as many of its bytes as the type has.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct Value(MaybeUninit<[u8; 16]>);

impl Value {
    pub(crate) fn of<T: Copy>(value: T) -> Self {
        const { assert!(size_of::<T>() <= 16 && align_of::<T>() <= 16) };
        let mut bytes = MaybeUninit::<[u8; 16]>::zeroed();
        // SAFETY: there is room for a `T`, and the place is aligned for it.
        unsafe { bytes.as_mut_ptr().cast::<T>().write(value) };
        Self(bytes)
    }

    /// # Safety
    /// The value was made of a `T`, or of a number whose lowest bytes are to be one.
    pub(crate) unsafe fn get<T: Copy>(&self) -> T {
        // SAFETY: the caller's promise; the rest is zero.
        unsafe { self.0.as_ptr().cast::<T>().read() }
    }
}

/// What a parameter points to, by its declaration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pointee {
    pub(crate) size: usize,
    pub(crate) constant: bool,
    pub(crate) type_name: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// `None` for what is no pointer to data.
    pub(crate) pointee: Option<Pointee>,
}

/// An exported function.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    /// Calls it; a result of no bytes is 0.
    pub(crate) call: fn(&[Value]) -> usize,
}

/// The type of a parameter.
pub(crate) trait Argument: Copy {
    fn pointee() -> Option<Pointee> {
        None
    }
}

impl Argument for u8 {}
impl Argument for u16 {}
impl Argument for u32 {}
impl Argument for i32 {}
impl Argument for usize {}
impl Argument for GUID {}
/// Callbacks.
impl<F: Copy> Argument for Option<F> {}

impl<T> Argument for *const T {
    fn pointee() -> Option<Pointee> {
        Some(Pointee { size: size_of::<T>(), constant: true, type_name: std::any::type_name::<T>() })
    }
}

impl<T> Argument for *mut T {
    fn pointee() -> Option<Pointee> {
        Some(Pointee { size: size_of::<T>(), constant: false, type_name: std::any::type_name::<T>() })
    }
}

/// The type of a result.
pub(crate) trait Outcome {
    fn number(self) -> usize;
}

impl Outcome for () {
    fn number(self) -> usize {
        0
    }
}

impl Outcome for u32 {
    fn number(self) -> usize {
        self as usize
    }
}

impl Outcome for i32 {
    fn number(self) -> usize {
        self.cast_unsigned() as usize
    }
}

impl<T> Outcome for *mut T {
    fn number(self) -> usize {
        self.expose_provenance()
    }
}

/// What the libraries' list of exports becomes here.
macro_rules! listed {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $function:path;)*) => {
        vec![$(
            crate::functions::Function {
                name: stringify!($name),
                parameters: vec![$(crate::functions::Parameter {
                    name: stringify!($argument),
                    pointee: <$type as crate::functions::Argument>::pointee(),
                }),*],
                #[allow(unused_mut, unused_variables, unused_unsafe, reason = "of functions without parameters")]
                call: |values| {
                    let mut values = values.iter();
                    $(
                        // SAFETY: the engine makes each value as the type of its parameter asks for.
                        let $argument = unsafe { values.next().expect("a value of each").get::<$type>() };
                    )*
                    // SAFETY: the engine keeps a C caller's promises.
                    crate::functions::Outcome::number(unsafe { $function($($argument),*) })
                },
            }
        ),*]
    };
}
pub(crate) use listed;

/// What programs have, `libiphlpapi.so`.
pub(crate) fn of_programs() -> Vec<Function> {
    let mut functions: Vec<Function> = iphelper_capi::export_netioapi!(Win32, crate::functions::listed);
    functions.extend::<Vec<Function>>(iphelper_capi::export_iphlpapi!(crate::functions::listed));
    functions.extend::<Vec<Function>>(iphelper_capi::export_windows!(crate::functions::listed));
    functions
}

/// What drivers have, `libnetio.so`.
pub(crate) fn of_drivers() -> Vec<Function> {
    iphelper_capi::export_netioapi!(NtStatus, crate::functions::listed)
}
