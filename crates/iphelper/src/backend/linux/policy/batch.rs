//! Many requests in few system calls.

#[cfg(test)]
use crate::backend::linux::socket::killed;
use crate::backend::linux::socket::{Refusal, Socket};
use iphelper_netlink::message::{ACK, NOOP, Request};
use rustix::net::RecvFlags;

/// Room that one refusal takes in the receive buffer, with the kernel's own bookkeeping (768 on x86-64).
const ANSWER_SPACE: usize = 1536;
/// More messages in a datagram make nothing faster.
const LARGEST_BATCH: usize = 256;

/// Sends `requests` in order; which of them (by place) were refused, and why.
///
/// None is acknowledged but the last of each datagram, for which the kernel does nothing. The kernel works a datagram
/// off even if the process is killed meanwhile.
pub(in crate::backend::linux) fn send_all(
    socket: &mut Socket,
    requests: impl IntoIterator<Item = Request>,
) -> Result<Vec<(usize, Refusal)>, Refusal> {
    let batch_len = batch_len(socket);
    send_in_parts(socket, requests, batch_len)
}

/// The same for a few that go out in one datagram: whoever is killed has sent none or all.
pub(super) fn send_together(
    socket: &mut Socket,
    requests: impl IntoIterator<Item = Request>,
) -> Result<Vec<(usize, Refusal)>, Refusal> {
    send_in_parts(socket, requests, LARGEST_BATCH)
}

fn send_in_parts(
    socket: &mut Socket,
    requests: impl IntoIterator<Item = Request>,
    batch_len: usize,
) -> Result<Vec<(usize, Refusal)>, Refusal> {
    let mut refused = Vec::new();
    let mut requests = requests.into_iter().peekable();
    let (mut place, mut bytes) = (0, Vec::new());
    while requests.peek().is_some() {
        let part = requests.by_ref().take(batch_len).map(Request::unacknowledged);
        let mut part: Vec<_> = part.chain([Request::new(NOOP, ACK, &[])]).collect();
        bytes.clear();
        let first = socket.send_batch(part.len(), |first| {
            for (request, sequence) in part.iter_mut().zip(first..) {
                bytes.extend_from_slice(request.finish(sequence));
            }
            &bytes
        })?;
        let last = part.len() - 1;
        let mut complete = false;
        while !complete {
            // The kernel has answered by the time that the datagram is sent.
            for message in socket.receive_with(RecvFlags::DONTWAIT)? {
                let message = message?;
                let Some(answer) = message.acknowledgement().transpose()? else { continue };
                match usize::try_from(answer.sequence.wrapping_sub(first)) {
                    Ok(number) if number == last => complete = true,
                    Ok(number) if number < last && answer.errno != 0 => {
                        refused.push((place + number, Refusal::from_answer(&answer)));
                    }
                    _ => {}
                }
            }
        }
        socket.set_idle();
        place += last;
    }
    Ok(refused)
}

/// Sends one request and waits for its answer.
pub(super) fn send(socket: &mut Socket, request: Request) -> Result<(), Refusal> {
    match send_all(socket, [request])?.pop() {
        Some((_, refusal)) => Err(refusal),
        None => Ok(()),
    }
}

fn batch_len(socket: &Socket) -> usize {
    #[cfg(test)]
    if killed::splits() {
        return 1;
    }
    (socket.receive_space() / ANSWER_SPACE).clamp(1, LARGEST_BATCH)
}
