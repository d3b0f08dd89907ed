//! The calls of one authenticated connection. Those that may overlap are started in the order they came and
//! answered as they finish; the others each run alone among what comes after them.

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, Waker},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use zegel_proto::v1::{client_frame as ask, server_frame as tell};

use super::{Shared, report};
use crate::service::Session;

/// The most calls of one connection that run at once.
const RUNNING: usize = 64;
/// About how many bytes of calls of one connection may be held at once.
const RUNNING_BYTES: usize = 8 << 20;

/// A call that finished.
pub struct Finished {
    /// Its number.
    pub call: u64,
    /// What to answer, if anything.
    pub answer: Option<tell::Body>,
    alone: bool,
    bytes: usize,
}

type Running = Pin<Box<dyn Future<Output = Finished> + Send>>;

/// See the module.
pub struct Calls {
    shared: Arc<Shared>,
    session: Session,
    running: FuturesUnordered<Running>,
    alone: bool,
    bytes: usize,
}

impl Calls {
    /// For a session that has authenticated.
    pub fn new(shared: Arc<Shared>, session: Session) -> Self {
        Self { shared, session, running: FuturesUnordered::new(), alone: false, bytes: 0 }
    }

    /// Whether another call may be read from the socket now.
    pub fn has_room(&self) -> bool {
        !self.alone && self.running.len() < RUNNING && self.bytes < RUNNING_BYTES
    }

    /// Whether none is running.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Starts a call of `bytes` bytes. It has done all that it does without waiting when this returns, so that
    /// calls reach the store in the order they came.
    pub fn start(&mut self, call: u64, body: ask::Body, bytes: usize) {
        let alone = !may_overlap(&body);
        let (shared, mut session) = (self.shared.clone(), self.session.clone());
        let mut running: Running = Box::pin(async move {
            let answer = shared.call(&mut session, body).await;
            Finished { call, answer, alone, bytes }
        });
        // Nobody need be woken for this first poll: what is pushed below is polled again at once.
        let first = running.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.bytes += bytes;
        self.alone |= alone;
        match first {
            Poll::Pending => self.running.push(running),
            Poll::Ready(finished) => self.running.push(Box::pin(std::future::ready(finished))),
        }
    }

    /// The next call that finishes; none while none runs.
    pub async fn next(&mut self) -> Option<Finished> {
        let finished = self.running.next().await?;
        self.bytes -= finished.bytes;
        self.alone &= !finished.alone;
        Some(finished)
    }
}

impl Shared {
    /// Lets the service answer a call.
    pub async fn call(&self, session: &mut Session, body: ask::Body) -> Option<tell::Body> {
        self.work.fetch_add(1, Relaxed);
        match &body {
            ask::Body::Submit(_) => self.report.submits.increment(1),
            ask::Body::Ack(_) => self.report.acks.increment(1),
            other => report::calls(name(other)).increment(1),
        }
        self.service.call(session, body).await
    }
}

/// Whether a call may run beside the calls that follow it.
fn may_overlap(body: &ask::Body) -> bool {
    use ask::Body::*;
    matches!(
        body,
        Submit(_)
            | Ack(_)
            | FetchAccount(_)
            | FetchRoot(_)
            | FetchHistory(_)
            | FetchKeyPackages(_)
            | GetBlob(_)
            | FetchHolding(_)
            | FetchReports(_)
            | FetchStatements(_)
    )
}

/// Whether a call belongs to the opening of a connection.
pub fn opens(body: &ask::Body) -> bool {
    matches!(body, ask::Body::Hello(_) | ask::Body::Register(_) | ask::Body::Authenticate(_))
}

fn name(body: &ask::Body) -> &'static str {
    use ask::Body::*;
    match body {
        Hello(_) => "hello",
        Register(_) => "register",
        Authenticate(_) => "authenticate",
        FetchAccount(_) => "fetch_account",
        FetchKeyPackages(_) => "fetch_key_packages",
        PublishKeyPackages(_) => "publish_key_packages",
        Submit(_) => "submit",
        Ack(_) => "ack",
        BindAddress(_) => "bind_address",
        DeleteAddresses(_) => "delete_addresses",
        AcceptAddress(_) => "accept_address",
        Block(_) => "block",
        PutToken(_) => "put_token",
        ChangeAge(_) => "change_age",
        SetGuardian(_) => "set_guardian",
        FetchPolicy(_) => "fetch_policy",
        EndBinding(_) => "end_binding",
        DropTokens(_) => "drop_tokens",
        PutBlob(_) => "put_blob",
        GetBlob(_) => "get_blob",
        AppendChain(_) => "append_chain",
        RequestRejoin(_) => "request_rejoin",
        DeleteAccount(_) => "delete_account",
        FetchHolding(_) => "fetch_holding",
        FetchRoot(_) => "fetch_root",
        FetchHistory(_) => "fetch_history",
        // Few call these: to count them apart would tell when somebody reported, or was decided about.
        Report(_) | FetchReports(_) | FetchStatements(_) | Appeal(_) => "other",
    }
}

#[cfg(test)]
mod tests {
    use zegel_proto::v1;

    use super::*;

    #[test]
    fn whether_somebody_reported_or_appealed_is_not_counted() {
        let calls = [
            ask::Body::Report(v1::Report::default()),
            ask::Body::FetchReports(v1::FetchReports::default()),
            ask::Body::FetchStatements(v1::FetchStatements::default()),
            ask::Body::Appeal(v1::Appeal::default()),
        ];
        assert!(calls.iter().all(|call| name(call) == "other"));
    }
}
