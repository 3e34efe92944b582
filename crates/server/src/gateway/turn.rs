//! One turn of everything else on this thread.
//!
//! `tokio::task::yield_now` is over when it is polled again, and hyper polls a body again as soon as it has flushed, which
//! is at once. This knows whether the turn was taken. Read [`Turn`] first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

/// A turn that others were given; whoever waits for it is woken when it is over.
#[derive(Debug)]
pub(super) struct Turn(Arc<Ended>);

#[derive(Debug)]
struct Ended {
    ended: AtomicBool,
    waiting: Waker,
}

impl Turn {
    /// Gives a turn, and wakes `waiting` after it.
    pub(super) fn give(waiting: &Waker) -> Self {
        let ended = Arc::new(Ended {
            ended: AtomicBool::new(false),
            waiting: waiting.clone(),
        });
        let waker = Waker::from(Arc::clone(&ended));
        let given = std::pin::pin!(tokio::task::yield_now());
        // The first poll asks for the turn, and is never ready.
        let _ = given.poll(&mut Context::from_waker(&waker));
        Self(ended)
    }

    /// Whether it is over.
    pub(super) fn is_over(&self) -> bool {
        self.0.ended.load(Ordering::Relaxed)
    }
}

impl Wake for Ended {
    fn wake(self: Arc<Self>) {
        self.ended.store(true, Ordering::Relaxed);
        self.waiting.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::rc::Rc;
    use std::task::Poll;

    use tokio::task::{LocalSet, spawn_local};

    use super::*;

    #[test]
    fn a_turn_is_over_once_others_have_run_and_not_when_it_is_looked_at() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let others = Rc::new(std::cell::Cell::new(0));
        let counted = Rc::clone(&others);
        LocalSet::new().block_on(&runtime, async move {
            spawn_local(async move { counted.set(counted.get() + 1) });
            let mut turn = None;
            poll_fn(|context| {
                let turn = turn.get_or_insert_with(|| Turn::give(context.waker()));
                if turn.is_over() {
                    return Poll::Ready(());
                }
                assert!(!turn.is_over(), "looking ends nothing");
                Poll::Pending
            })
            .await;
            assert_eq!(others.get(), 1);
        });
    }
}
