//! The core of a consumer's queue, in every order that its threads may take: `scripts/test-orders` runs it.
#![allow(dead_code, reason = "the core has more than is tried here")]

#[path = "../crates/iphelper/src/backend/linux/notification/queue/core.rs"]
mod core;

/// What the core takes for the primitives of the standard library.
mod sync {
    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
}

use core::{Bell, Core, Item, Taken};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use std::collections::VecDeque;

impl Item for u8 {
    fn fold(_: &mut VecDeque<Self>) {}
}

/// A bell that may not be rung twice, nor silenced twice.
#[derive(Debug)]
struct OneBell(AtomicBool);

impl Bell for OneBell {
    fn ring(&self) {
        assert!(!self.0.swap(true, Ordering::SeqCst), "it rings already");
    }

    fn still(&self) {
        assert!(self.0.swap(false, Ordering::SeqCst), "it is still already");
    }
}

type Queue = Core<u8, &'static str, OneBell>;

fn queue() -> Arc<Queue> {
    Arc::new(Core::new(OneBell(AtomicBool::new(false))))
}

fn rings(queue: &Queue) -> bool {
    queue.bell().0.load(Ordering::SeqCst)
}

/// In every order of the threads' steps, with so many changes of thread against their will: more find nothing new here.
fn in_every_order(work: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(work);
}

#[test]
fn a_consumer_that_waits_gets_everything_in_order() {
    in_every_order(|| {
        let queue = queue();
        let reader = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                queue.push([1, 2].into_iter()).wake();
                queue.push([3].into_iter()).wake();
            })
        };
        let got: Vec<_> = (0..3).map(|_| queue.wait().unwrap().unwrap()).collect();
        assert_eq!(got, [1, 2, 3]);
        reader.join().unwrap();
        assert!(matches!(queue.take(), Taken::Empty));
        assert!(!rings(&queue));
    });
}

#[test]
fn a_failure_is_told_and_hides_nothing() {
    in_every_order(|| {
        let queue = queue();
        let reader = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                queue.push([1].into_iter()).wake();
                queue.fail("no memory").wake();
            })
        };
        assert_eq!(queue.wait(), Some(Ok(1)));
        assert_eq!(queue.wait(), Some(Err("no memory")));
        reader.join().unwrap();
        assert!(!rings(&queue));
    });
}

#[test]
fn a_cancel_ends_every_wait_and_nothing_comes_after_it() {
    in_every_order(|| {
        let queue = queue();
        let reader = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.push([1, 2].into_iter()).wake())
        };
        let canceller = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                queue.end().wake();
                // Nothing that was pushed before or is pushed after this.
                assert!(matches!(queue.take(), Taken::Ended));
            })
        };
        let mut got = Vec::new();
        while let Some(item) = queue.wait() {
            got.push(item.unwrap());
        }
        assert!([1, 2].starts_with(&got), "{got:?}");
        reader.join().unwrap();
        canceller.join().unwrap();
        assert!(queue.has_ended() && rings(&queue), "the end stays to be seen");
    });
}

#[test]
fn the_bell_rings_exactly_while_something_is_there() {
    in_every_order(|| {
        let queue = queue();
        let reader = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                queue.push([1].into_iter()).wake();
                queue.push([2].into_iter()).wake();
            })
        };
        // A consumer that waits for the bell and then takes what is there finds something.
        let mut got = 0;
        while got < 2 {
            if rings(&queue) {
                assert!(matches!(queue.take(), Taken::Item(Ok(_))));
                got += 1;
            } else {
                thread::yield_now();
            }
        }
        reader.join().unwrap();
        assert!(!rings(&queue));
    });
}
