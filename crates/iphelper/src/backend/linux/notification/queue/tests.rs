//! Queues without a kernel.

use super::core::UNFOLDED;
use super::*;
use crate::address::{DadState, Lifetime, PrefixOrigin, SuffixOrigin, UnicastAddress};
use crate::notification::Classes;
use ChangeKind::{Add, Delete, Parameter};
use std::net::Ipv4Addr;

const OPTIONS: WatchOptions = WatchOptions::new(Classes::UNICAST_ADDRESSES);

fn change(kind: ChangeKind, index: u32, luid: u64) -> Event {
    at(kind, index, luid, Ipv4Addr::LOCALHOST.into())
}

fn at(kind: ChangeKind, index: u32, luid: u64, address: IpAddr) -> Event {
    let row = UnicastAddress {
        address,
        luid: InterfaceLuid(luid),
        index: InterfaceIndex(index),
        name: format!("e{index}"),
        prefix_origin: PrefixOrigin::Manual,
        suffix_origin: SuffixOrigin::Manual,
        valid_lifetime: Lifetime::INFINITE,
        preferred_lifetime: Lifetime::INFINITE,
        on_link_prefix_length: 24,
        skip_as_source: false,
        dad_state: DadState::Preferred,
        scope_id: 0,
        created: None,
    };
    let subject = Subject::UnicastAddress(Box::new(row));
    Event { kind, subject, before: None, requester: None, resynchronised: false }
}

fn news(events: impl IntoIterator<Item = Event>) -> News {
    let mut news = News::default();
    for event in events {
        news.push(View::Both, event);
    }
    news
}

fn interface(event: &Event) -> (InterfaceIndex, InterfaceLuid) {
    event.subject.interface().unwrap()
}

fn folded(changes: &[(ChangeKind, u32, u64)]) -> Vec<(ChangeKind, u32, u64)> {
    let mut changes = changes.iter().map(|(kind, index, luid)| change(*kind, *index, *luid)).collect();
    fold::fold(&mut changes);
    assert!(changes.iter().all(|change| change.resynchronised));
    let name = |change: Event| {
        let (index, luid) = interface(&change);
        (change.kind, index.0, luid.0)
    };
    changes.into_iter().map(name).collect()
}

fn is_readable(queue: &Queue) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut descriptor = [PollFd::new(queue, PollFlags::IN)];
    poll(&mut descriptor, Some(&Timespec::default())).unwrap() == 1
}

fn all(queue: &Queue) -> Vec<Event> {
    std::iter::from_fn(|| match queue.take() {
        Taken::Item(item) => Some(item.unwrap()),
        Taken::Empty | Taken::Ended => None,
    })
    .collect()
}

#[test]
fn changes_of_one_interface_fold_into_their_difference() {
    assert_eq!(folded(&[(Parameter, 1, 1), (Parameter, 1, 1)]), [(Parameter, 1, 1)]);
    assert_eq!(folded(&[(Add, 1, 1), (Parameter, 1, 1)]), [(Add, 1, 1)]);
    assert_eq!(folded(&[(Parameter, 1, 1), (Delete, 1, 1)]), [(Delete, 1, 1)]);
    assert_eq!(folded(&[(Add, 1, 1), (Parameter, 1, 1), (Delete, 1, 1)]), [], "never seen");
    assert_eq!(folded(&[(Delete, 1, 1), (Add, 1, 1)]), [(Delete, 1, 1), (Add, 1, 1)], "a twin");
    assert_eq!(folded(&[(Delete, 1, 1), (Add, 1, 1), (Parameter, 1, 1), (Delete, 1, 1)]), [(Delete, 1, 1)]);
    assert_eq!(folded(&[(Add, 1, 1), (Delete, 1, 1), (Add, 1, 1)]), [(Add, 1, 1)]);
}

#[test]
fn an_index_is_deleted_before_another_interface_is_on_it() {
    let changes = [
        (Parameter, 1, 7),
        (Parameter, 2, 2),
        (Delete, 1, 7),
        (Add, 1, 8),
        (Delete, 1, 8),
        (Add, 1, 9),
        (Parameter, 1, 9),
    ];
    assert_eq!(folded(&changes), [(Parameter, 2, 2), (Delete, 1, 7), (Add, 1, 9)]);
}

#[test]
fn a_full_queue_is_folded_and_stays_bounded() {
    let queue = Queue::new(OPTIONS).unwrap();
    for round in 0..100_000_u32 {
        queue.push(&news([change(Parameter, round % 10, 1)])).wake();
        assert!(queue.core.len() < UNFOLDED);
    }
    let mut seen: Vec<_> = all(&queue).into_iter().map(|change| interface(&change).0.0).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (0..10).collect::<Vec<_>>(), "an interface is missing");

    // More interfaces than that, each with a change: all are kept.
    for index in 0..5 * UNFOLDED as u32 {
        queue.push(&news([change(Add, index, 1), change(Parameter, index, 1)])).wake();
    }
    let kept = all(&queue);
    assert_eq!(kept.iter().filter(|change| change.kind == Add).count(), 5 * UNFOLDED);
    assert!(kept.len() < 10 * UNFOLDED);
}

#[test]
fn the_descriptor_is_readable_while_something_is_there() {
    let queue = Queue::new(OPTIONS.family(Some(Family::V4))).unwrap();
    assert!(!is_readable(&queue));
    let other = at(Add, 1, 1, std::net::Ipv6Addr::LOCALHOST.into());
    queue.push(&news([other])).wake();
    assert!(!is_readable(&queue), "of the other family");
    queue.push(&news([change(Add, 1, 1), change(Add, 2, 1)])).wake();
    queue.fail(&Error::new(crate::ErrorKind::OutOfMemory, "reading")).wake();
    for left in [2, 1, 0] {
        assert!(is_readable(&queue), "{left} left");
        let Taken::Item(item) = queue.take() else { panic!("something is there") };
        assert_eq!(item.is_err(), left == 0, "the failure is last");
    }
    assert!(!is_readable(&queue));
    queue.push(&news([change(Add, 3, 1)])).wake();
    queue.end().wake();
    queue.push(&news([change(Add, 4, 1)])).wake();
    assert!(is_readable(&queue), "the end has to be seen");
    assert!(matches!(queue.take(), Taken::Ended), "what waited is dropped");
    assert!(is_readable(&queue), "for ever");
    assert!(queue.wait().is_none());
}

#[test]
fn each_consumer_gets_what_it_asked_for() {
    let windows = Queue::new(OPTIONS.by_windows_key(true)).unwrap();
    let kernel = Queue::new(OPTIONS).unwrap();
    let routes = Queue::new(WatchOptions::new(Classes::ROUTES)).unwrap();
    let mut news = News::default();
    for (view, index) in [(View::Both, 1), (View::Kernel, 2), (View::Windows, 3)] {
        news.push(view, change(Add, index, 1));
    }
    for queue in [&windows, &kernel, &routes] {
        queue.push(&news).wake();
    }
    let indexes = |queue| all(queue).iter().map(|event| interface(event).0.0).collect::<Vec<_>>();
    assert_eq!(indexes(&windows), [1, 3]);
    assert_eq!(indexes(&kernel), [1, 2]);
    assert!(!is_readable(&routes), "of another class");
}
