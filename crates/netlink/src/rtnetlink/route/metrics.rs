//! MTU, windows and the like of a route (`RTA_METRICS`, `RTAX_*`).

use crate::attribute::{AttributeWriter, Attributes};

/// Numbers of route metrics (`RTAX_*`), see [`Metrics`].
#[allow(missing_docs, reason = "the names are the kernel's")]
pub mod metric {
    pub const LOCK: u16 = 1;
    pub const MTU: u16 = 2;
    pub const WINDOW: u16 = 3;
    pub const SSTHRESH: u16 = 6;
    pub const CWND: u16 = 7;
    pub const REORDERING: u16 = 9;
    pub const INITCWND: u16 = 11;
    pub const INITRWND: u16 = 14;
}

/// The metrics of a route (`RTA_METRICS`), kept as the kernel wrote them.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Metrics(pub(super) Vec<u8>);

impl Metrics {
    /// One of [`metric`], all of which are 32 bits wide; `None` where it is not set.
    #[must_use]
    pub fn get(&self, number: u16) -> Option<u32> {
        let all = Attributes::new(&self.0).flatten();
        all.filter(|attribute| attribute.kind == number).find_map(|attribute| attribute.u32().ok())
    }

    /// Sets one of [`metric`] or, with `None`, takes it away; the others keep value and order.
    pub fn set(&mut self, number: u16, value: Option<u32>) {
        let mut bytes = Vec::with_capacity(self.0.len() + 8);
        let mut value = value;
        for attribute in Attributes::new(&self.0).flatten() {
            if attribute.kind != number {
                // The kernel writes them in ascending order, so a route reads back as it was sent.
                if let Some(value) = value.take_if(|_| attribute.kind > number) {
                    let _ = bytes.attribute_u32(number, value);
                }
                let _ = bytes.attribute(attribute.kind, attribute.payload);
            }
        }
        if let Some(value) = value {
            let _ = bytes.attribute_u32(number, value);
        }
        self.0 = bytes;
    }

    /// Whether none is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
