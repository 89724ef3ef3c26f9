//! `RTM_NEWNETCONF`: a setting of one interface, or of all, was written.

use crate::DecodeError;
use crate::message::Message;

/// `RTM_NEWNETCONF`.
pub const NEW: u16 = 80;
/// `RTM_DELNETCONF`: an interface's settings are gone.
pub const DELETE: u16 = 81;

const IFINDEX: u16 = 1;

/// Whose settings a message is about (`NETCONFA_IFINDEX`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Those of one interface.
    Interface(u32),
    /// `conf/all`, which holds for every interface (`NETCONFA_IFINDEX_ALL`).
    All,
    /// `conf/default`, which holds for interfaces to come (`NETCONFA_IFINDEX_DEFAULT`).
    Default,
    /// A number that this crate does not know.
    Other(i32),
}

/// One `RTM_NEWNETCONF` or `RTM_DELNETCONF`, as far as a listener needs it.
///
/// It says that something was written; the value is read elsewhere, since kernels announce some settings
/// (`force_forwarding`) with the interface's index alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Netconf {
    /// `AF_INET`, `AF_INET6` or another family's number.
    pub family: u8,
    /// Whose settings they are.
    pub scope: Scope,
}

impl Netconf {
    /// Reads the message.
    pub fn parse(message: &Message<'_>) -> Result<Self, DecodeError> {
        let (&[family], attributes) = message.split("netconfmsg")?;
        for attribute in attributes {
            let attribute = attribute?;
            if attribute.kind == IFINDEX {
                let scope = match attribute.i32()? {
                    -1 => Scope::All,
                    -2 => Scope::Default,
                    index => u32::try_from(index).map_or(Scope::Other(index), Scope::Interface),
                };
                return Ok(Self { family, scope });
            }
        }
        Err(DecodeError::new("NETCONFA_IFINDEX", 4, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Messages, Request};

    fn parse(payload: &[u8]) -> Result<Netconf, DecodeError> {
        let bytes = Request::new(NEW, 0, payload).finish(0).to_vec();
        Netconf::parse(&Messages::new(&bytes).next().unwrap().unwrap())
    }

    /// What Linux 6.18 sent after its header for a write of the file above each.
    #[cfg(target_endian = "little")]
    #[test]
    fn captured_messages_tell_whose_setting_was_written() {
        // net/ipv4/conf/e0/forwarding
        let message = [2, 0, 0, 0, 8, 0, 1, 0, 3, 0, 0, 0, 8, 0, 2, 0, 1, 0, 0, 0];
        assert_eq!(parse(&message), Ok(Netconf { family: 2, scope: Scope::Interface(3) }));
        // net/ipv6/conf/e0/force_forwarding
        let message = [10, 0, 0, 0, 8, 0, 1, 0, 3, 0, 0, 0];
        assert_eq!(parse(&message), Ok(Netconf { family: 10, scope: Scope::Interface(3) }));
        // net/ipv6/conf/all/forwarding: one for the default, one for each interface, and last this
        let message = [10, 0, 0, 0, 8, 0, 1, 0, 255, 255, 255, 255, 8, 0, 2, 0, 1, 0, 0, 0];
        assert_eq!(parse(&message), Ok(Netconf { family: 10, scope: Scope::All }));
        let message = [10, 0, 0, 0, 8, 0, 1, 0, 254, 255, 255, 255, 8, 0, 2, 0, 1, 0, 0, 0];
        assert_eq!(parse(&message), Ok(Netconf { family: 10, scope: Scope::Default }));
    }

    #[test]
    fn what_lacks_the_index_is_an_error() {
        assert_eq!(parse(&[2]).unwrap_err().what(), "NETCONFA_IFINDEX");
        assert_eq!(parse(&[]).unwrap_err().what(), "netconfmsg");
        assert_eq!(parse(&[2, 0, 0, 0, 6, 0, 1, 0, 3, 0]).unwrap_err().what(), "attribute");
    }
}
