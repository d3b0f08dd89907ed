//! One connection, from its WebSocket handshake to its end.

use std::{net::IpAddr, sync::Arc, sync::atomic::Ordering::Relaxed, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt as _;
use tokio::{
    select,
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until},
};
use zegel_proto::{
    AccountId, Code, DeviceId, MAX_FRAME, Message as _,
    v1::{self, client_frame as ask, server_frame as tell},
};

use super::{
    Shared,
    calls::{Calls, opens},
    delivery::{Delivery, Turn},
    frames::Event,
    transport::Transport,
    wire::{End, Wire, refusal},
};
use crate::{
    clock::Now,
    service::{HOW_TO_APPEAL, Session},
    store,
};

/// The largest message of somebody who has not authenticated.
const STRANGER_FRAME: usize = 64 << 10;
/// Time between two pings; whoever stays silent from one to the next is gone.
const PING: Duration = Duration::from_secs(45);
/// Answers that are ready are sent together up to this many bytes.
const TOGETHER: usize = 256 << 10;

/// Runs a connection. `first` is what came with the handshake.
pub async fn run(shared: Arc<Shared>, transport: Transport, first: Bytes, peer: IpAddr) {
    let _here = Here::enter(&shared);
    let mut wire = Wire::new(transport, &first, STRANGER_FRAME);
    drop(first);
    // Boxed, so that what only the opening needs takes no room afterwards.
    let end = match Box::pin(open(&shared, &mut wire, peer)).await {
        Err(end) => end,
        Ok((session, account, device, first_seq)) => {
            wire.set_limit(MAX_FRAME);
            // Nothing is delivered to who is there for an appeal only.
            let listens = !session.appeal_only;
            let mut delivery = listens.then(|| Delivery::begin(shared.clone(), device, first_seq));
            let mut calls = Calls::new(shared.clone(), session);
            attend(&shared, &mut wire, &mut calls, &mut delivery, (account, device)).await
        }
    };
    Box::pin(wire.end(end)).await;
}

/// Counts a connection as long as it lives.
struct Here(Arc<Shared>);

impl Here {
    fn enter(shared: &Arc<Shared>) -> Self {
        shared.connections.fetch_add(1, Relaxed);
        Self(shared.clone())
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}

type Opened = (Session, AccountId, DeviceId, u64);

/// Answers one call after the other until one authenticates. Its answer is left in line, to be sent when the
/// connection is registered at the hub.
async fn open(shared: &Arc<Shared>, wire: &mut Wire, peer: IpAddr) -> Result<Opened, End> {
    let mut session = shared.service.open(peer);
    let mut stop = shared.stop.clone();
    let late = sleep_until(Instant::now() + shared.authenticate_within);
    tokio::pin!(late);
    loop {
        let event = select! {
            event = wire.next() => event?,
            () = stopped(&mut stop) => return Err(going_away()),
            () = &mut late => {
                let why = "while waiting for Authenticate: it did not come in time; connect again";
                return Err(End::told(Code::NotAuthenticated, why));
            }
        };
        if let Some((call, body, _)) = heard(wire, event)? {
            let answer = shared.call(&mut session, body).await;
            answer.into_iter().for_each(|answer| wire.queue(call, answer));
            if let Some((account, device)) = session.device {
                let first_seq = session.first_seq;
                return Ok((session, account, device, first_seq));
            }
        }
        wire.flush().await?;
    }
}

/// Reads what an event means. Pings are answered, unknown calls refused; a call is handed back.
fn heard(wire: &mut Wire, event: Event) -> Result<Option<(u64, ask::Body, usize)>, End> {
    let bytes = match event {
        Event::Binary(bytes) => bytes,
        Event::Ping(payload) => {
            wire.queue_pong(&payload);
            return Ok(None);
        }
        Event::Pong => return Ok(None),
        Event::Close => return Err(End::Left),
    };
    let size = bytes.len();
    let frame = v1::ClientFrame::decode(bytes).map_err(|_| {
        End::told(
            Code::BadRequest,
            "while reading a frame: it is no ClientFrame; send what the contract says",
        )
    })?;
    match frame.body {
        Some(body) => Ok(Some((frame.call, body, size))),
        None => {
            let why =
                "while reading a call: this server does not know it; use the capabilities of HelloAnswer";
            wire.queue(frame.call, refusal(Code::BadRequest, why));
            Ok(None)
        }
    }
}

/// Serves a device that has authenticated.
async fn attend(
    shared: &Arc<Shared>,
    wire: &mut Wire,
    calls: &mut Calls,
    delivery: &mut Option<Delivery>,
    (account, device): (AccountId, DeviceId),
) -> End {
    let mut stop = shared.stop.clone();
    let mut ping = pings();
    let mut alive = true;
    // Who was suspended or revoked just before the hub knew this connection was not told through it.
    let mut end = match delivery {
        Some(_) => Box::pin(ended(shared, account, device)).await,
        None => None,
    };
    loop {
        if let Err(end) = wire.flush().await {
            return end;
        }
        if calls.is_empty()
            && let Some(end) = end
        {
            return end;
        }
        let open = end.is_none();
        select! {
            event = wire.next(), if open && calls.has_room() => {
                alive = true;
                match listen(wire, calls, event) {
                    Ok(()) => {}
                    // Answers to what it asked before are still owed to a peer that can hear them.
                    Err(told @ End::Told(..)) => end = Some(told),
                    Err(left) => return left,
                }
            }
            Some(finished) = calls.next() => {
                finished.answer.into_iter().for_each(|answer| wire.queue(finished.call, answer));
                answer_ready(wire, calls);
                if open && let Some(deliver) = delivery.as_mut().and_then(Delivery::ready) {
                    deliver_now(shared, wire, deliver);
                }
            }
            turn = next_turn(delivery), if open => match turn {
                Turn::Send(deliver) => {
                    deliver_now(shared, wire, deliver);
                    answer_ready(wire, calls);
                }
                Turn::Replaced => {
                    let why = "another connection of this device took over; keep only one";
                    end = Some(End::told(Code::Replaced, why));
                }
                Turn::Ended => {
                    let why = "the server ended this connection; connect again";
                    let ended = Box::pin(ended(shared, account, device)).await;
                    end = Some(ended.unwrap_or_else(|| End::told(Code::GoingAway, why)));
                }
                Turn::Failed => {
                    let why = "while reading the mailbox: the store failed; connect again later";
                    end = Some(End::told(Code::Internal, why));
                }
            },
            _ = ping.tick() => {
                // While calls fill the connection it is not read, so silence says nothing.
                if !alive && calls.has_room() {
                    return End::Gone;
                }
                alive = false;
                wire.queue_ping();
            }
            () = stopped(&mut stop), if open => end = Some(going_away()),
        }
    }
}

/// What the delivery does next; for ever nothing if there is none.
async fn next_turn(delivery: &mut Option<Delivery>) -> Turn {
    match delivery {
        Some(delivery) => delivery.next().await,
        None => std::future::pending().await,
    }
}

/// Puts the answers in line of calls that have finished, so that they are sent together.
fn answer_ready(wire: &mut Wire, calls: &mut Calls) {
    while wire.queued() < TOGETHER {
        let Some(Some(finished)) = calls.next().now_or_never() else { break };
        finished.answer.into_iter().for_each(|answer| wire.queue(finished.call, answer));
    }
}

fn deliver_now(shared: &Shared, wire: &mut Wire, deliver: v1::Deliver) {
    shared.report.delivered.increment(deliver.entries.len() as u64);
    wire.queue(0, tell::Body::Deliver(deliver));
}

/// Starts a call, or refuses one that has no place here.
fn listen(wire: &mut Wire, calls: &mut Calls, event: Result<Event, End>) -> Result<(), End> {
    let Some((call, body, bytes)) = heard(wire, event?)? else { return Ok(()) };
    if opens(&body) {
        let why = "while reading a call: this connection has authenticated; open another for that";
        wire.queue(call, refusal(Code::BadRequest, why));
    } else {
        calls.start(call, body, bytes);
    }
    Ok(())
}

/// The first tick comes at a random moment, so that a restarted server does not ping everyone at once.
fn pings() -> Interval {
    let first = Instant::now() + rand::random_range(PING / 2..PING);
    let mut ping = interval_at(first, PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping
}

/// Why a device may no longer be connected, if so: its account suspended or gone, or itself revoked.
async fn ended(shared: &Shared, account: AccountId, device: DeviceId) -> Option<End> {
    let found = store::read(shared.store.as_ref(), move |tx| {
        let state = tx.account(&account)?.map(|account| account.state_on(Now::get().day()));
        Ok(state.zip(tx.mailbox(&device)?))
    });
    match found.await {
        Ok(Some((state, _))) if !state.may_connect() => Some(End::told(Code::Suspended, HOW_TO_APPEAL)),
        Ok(Some(_)) => None,
        Ok(None) => {
            let why = "the account was deleted or this device revoked; sign in anew";
            Some(End::told(Code::AuthFailed, why))
        }
        Err(error) => {
            tracing::error!(%error, "while reading an account");
            Some(End::told(
                Code::Internal,
                "while reading the account: the store failed; connect again later",
            ))
        }
    }
}

/// Waits until the server is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn going_away() -> End {
    End::told(Code::GoingAway, "the server is stopping; connect again in a moment")
}
