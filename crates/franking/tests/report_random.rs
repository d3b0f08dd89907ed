//! The two laws of a report, over random conversations and a reporter who does to a run whatever they can think of:
//! nothing is proven that no device committed to, and what was honestly stamped and is shown as it was is proven.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod scene;

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use scene::{Claim, DAY, Said, Server, Stamped};
use zegel_franking::{Context, Fault, REPORTING_WINDOW_MS, StampKey, Verdict, ZERO_TAG, franking_tag, stamp};

const ROOMS: u8 = 3;

/// What happens at the server. Salts and texts come from few, so that the same is said twice, by two people, in two
/// rooms.
#[derive(Clone, Debug)]
enum Step {
    Say {
        room: u8,
        sender: u8,
        said: Said,
    },
    Commit {
        room: u8,
        sender: u8,
    },
    /// Somebody sends under the tag of a message that was there before.
    Borrow {
        room: u8,
        sender: u8,
        of: usize,
    },
    /// Somebody sends under a tag that commits to nothing.
    Garbage {
        room: u8,
        sender: u8,
        tag: [u8; 32],
    },
    Rotate,
    Wait {
        ms: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let whom = || (0..ROOMS, 0..4u8);
    let text = || vec(0..3u8, 0..3);
    prop_oneof![
        8 => (whom(), 0..3u8, text()).prop_map(|((room, sender), salt, text)| {
            Step::Say { room, sender, said: ([salt; 16], text) }
        }),
        1 => whom().prop_map(|(room, sender)| Step::Commit { room, sender }),
        1 => (whom(), any::<usize>()).prop_map(|((room, sender), of)| Step::Borrow { room, sender, of }),
        1 => (whom(), any::<[u8; 32]>()).prop_map(|((room, sender), tag)| Step::Garbage { room, sender, tag }),
        1 => Just(Step::Rotate),
        2 => prop_oneof![0..5000u64, 0..40 * DAY, Just(REPORTING_WINDOW_MS)].prop_map(|ms| Step::Wait { ms }),
    ]
}

fn play(steps: Vec<Step>) -> Server {
    let mut server = Server::new();
    for step in steps {
        match step {
            Step::Say { room, sender, said } => drop(server.send(room, sender, Some(said))),
            Step::Commit { room, sender } => drop(server.send(room, sender, None)),
            Step::Borrow { room, sender, of } => {
                if let Some(of) = pick(&server.stamped, of).cloned() {
                    server.send_tagged(room, sender, of.said, of.context.franking_tag);
                }
            }
            Step::Garbage { room, sender, tag } => drop(server.send_tagged(room, sender, None, tag)),
            Step::Rotate => server.rotate(),
            Step::Wait { ms } => server.wait(ms),
        }
    }
    server
}

/// What a reporter sends of a conversation, before any trick.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Show {
    Disclosed,
    Withheld,
    LeftOut,
}

fn shows() -> impl Strategy<Value = Vec<Show>> {
    let show = prop_oneof![3 => Just(Show::Disclosed), 1 => Just(Show::Withheld), 1 => Just(Show::LeftOut)];
    vec(show, 1..8)
}

fn in_room(server: &Server, room: u8) -> impl Iterator<Item = &Stamped> {
    server.stamped.iter().filter(move |stamped| stamped.context.room == [room; 32])
}

/// What a reporter can do to a run. Places count from its beginning, around.
#[derive(Clone, Copy, Debug)]
enum Trick {
    FlipContext,
    FlipStamp,
    FlipContent,
    FlipSalt,
    CutContext,
    CutStamp,
    Move,
    Repeat,
    Remove,
    SwapContexts,
    SwapStamps,
    SwapContents,
    SwapSalts,
    /// Puts in any message of any room, with its own content.
    Splice,
    /// The context of another room under the stamp and content here.
    Graft,
    /// Puts words into a sender's mouth, and nothing else is changed.
    Invent,
    /// The same with a tag that fits, under a stamp made with a key of one's own.
    Forge,
    /// The same under another sender, another place or another key id.
    ForgeSender,
    ForgePlace,
    ForgeKey,
}

fn tricks() -> impl Strategy<Value = Vec<(Trick, usize, usize, usize)>> {
    use Trick::*;
    let all = vec![
        FlipContext,
        FlipStamp,
        FlipContent,
        FlipSalt,
        CutContext,
        CutStamp,
        Move,
        Repeat,
        Remove,
        SwapContexts,
        SwapStamps,
        SwapContents,
        SwapSalts,
        Splice,
        Graft,
        Invent,
        Forge,
        ForgeSender,
        ForgePlace,
        ForgeKey,
    ];
    vec((prop::sample::select(all), any::<usize>(), any::<usize>(), any::<usize>()), 0..6)
}

fn pick<T>(from: &[T], at: usize) -> Option<&T> {
    from.get(at.checked_rem(from.len())?)
}

fn flip(bytes: &mut [u8], bit: usize) {
    if let Some(bit) = bit.checked_rem(bytes.len() * 8) {
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Stamps a context, changed, with a key that the server does not have.
fn forge(claim: &mut Claim, change: impl FnOnce(&mut Context)) {
    let Ok(mut context) = Context::from_bytes(&claim.context) else { return };
    let (salt, said) = claim.content.get_or_insert_with(|| ([1; 16], b"forged".to_vec()));
    context.franking_tag = franking_tag(salt, said);
    change(&mut context);
    claim.context = context.to_bytes().into();
    claim.stamp = stamp(&StampKey::new([77; 32]), &context).into();
}

fn play_trick(server: &Server, run: &mut Vec<Claim>, (trick, a, b, n): (Trick, usize, usize, usize)) {
    if run.is_empty() {
        return;
    }
    let (a, b) = (a % run.len(), b % run.len());
    match trick {
        Trick::FlipContext => flip(&mut run[a].context, n),
        Trick::FlipStamp => flip(&mut run[a].stamp, n),
        Trick::FlipContent => run[a].content.iter_mut().for_each(|(_, said)| flip(said, n)),
        Trick::FlipSalt => run[a].content.iter_mut().for_each(|(salt, _)| flip(salt, n)),
        Trick::CutContext => run[a].context.truncate(n % 190),
        Trick::CutStamp => run[a].stamp.truncate(n % 32),
        Trick::Move => {
            let moved = run.remove(a);
            run.insert(b.min(run.len()), moved);
        }
        Trick::Repeat => run.insert(b, run[a].clone()),
        Trick::Remove => drop(run.remove(a)),
        Trick::SwapContexts => swap(run, a, b, |claim| &mut claim.context),
        Trick::SwapStamps => swap(run, a, b, |claim| &mut claim.stamp),
        Trick::SwapContents => swap(run, a, b, |claim| &mut claim.content),
        Trick::SwapSalts => {
            let salt = |claim: &Claim| claim.content.as_ref().map(|(salt, _)| *salt);
            if let (Some(first), Some(second)) = (salt(&run[a]), salt(&run[b])) {
                run[a].content.iter_mut().for_each(|content| content.0 = second);
                run[b].content.iter_mut().for_each(|content| content.0 = first);
            }
        }
        Trick::Splice => run.insert(a, pick(&server.stamped, n).unwrap().disclosed()),
        Trick::Graft => run[a].context = pick(&server.stamped, n).unwrap().context.to_bytes().into(),
        Trick::Invent => run[a].content = Some(([n as u8; 16], b"invented".to_vec())),
        Trick::Forge => forge(&mut run[a], |_| {}),
        Trick::ForgeSender => forge(&mut run[a], |context| context.sender_account = [n as u8 % 4; 16]),
        Trick::ForgePlace => forge(&mut run[a], |context| context.server_seq = n as u64 % 100),
        Trick::ForgeKey => forge(&mut run[a], |context| context.key_id = n as u32 % 5),
    }
}

/// Exchanges a part of two messages.
fn swap<T: Clone>(run: &mut [Claim], a: usize, b: usize, part: fn(&mut Claim) -> &mut T) {
    let (first, second) = (part(&mut run[a]).clone(), part(&mut run[b]).clone());
    (*part(&mut run[a]), *part(&mut run[b])) = (second, first);
}

/// Who committed to which bytes, where.
type Committed<'a> = BTreeSet<([u8; 32], u64, [u8; 16], [u8; 16], &'a [u8])>;

fn committed(server: &Server) -> Committed<'_> {
    let of = |stamped: &'_ Stamped| {
        let context = &stamped.context;
        (context.room, context.server_seq, context.sender_account, context.sender_device)
    };
    let said = server.stamped.iter().filter_map(|stamped| Some((of(stamped), &stamped.said.as_ref()?.1)));
    said.map(|((room, seq, account, device), said)| (room, seq, account, device, said.as_slice())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// An honest reporter: every verdict and every gap is what happened.
    #[test]
    fn an_honest_report_is_found_to_be_what_it_is(steps in vec(step(), 1..60), room in 0..ROOMS, shows in shows()) {
        let server = play(steps);
        let all: Vec<(&Stamped, Show)> = in_room(&server, room).zip(shows.into_iter().cycle()).collect();
        let shown: Vec<(&Stamped, Show)> = all.into_iter().filter(|(_, show)| *show != Show::LeftOut).collect();
        let claim = |(stamped, show): &(&Stamped, Show)| match show {
            Show::Disclosed => stamped.disclosed(),
            _ => stamped.withheld(),
        };
        let links = server.check(&shown.iter().map(claim).collect::<Vec<_>>());
        prop_assert_eq!(links.len(), shown.len());
        let mut before = None;
        for (link, (stamped, show)) in links.iter().zip(shown) {
            let context = &stamped.context;
            let old = server.now_ms > context.accepted_ms + REPORTING_WINDOW_MS;
            let kept = server.keys.get(context.key_id).is_some();
            prop_assert!(old || kept, "no key is destroyed before the last of its stamps is too old");
            let expected = match (kept, old, show, &stamped.said) {
                (false, ..) => Verdict::Unproven(Fault::KeyGone),
                (_, true, ..) => Verdict::Unproven(Fault::TooOld),
                (_, _, Show::Disclosed, Some(_)) => Verdict::Proven,
                _ => Verdict::Withheld,
            };
            prop_assert_eq!(link.verdict, expected);
            prop_assert_eq!(link.context.as_ref(), kept.then_some(context));
            let gap = before.filter(|_| kept).map_or(0, |before: u64| context.server_seq - before - 1);
            prop_assert_eq!(link.gap, gap);
            before = if kept { Some(context.server_seq) } else { before };
        }
    }

    /// A dishonest one: both laws hold for every message of whatever they send.
    #[test]
    fn the_two_laws(steps in vec(step(), 1..60), room in 0..ROOMS, shows in shows(), tricks in tricks()) {
        let server = play(steps);
        let mut run: Vec<Claim> = in_room(&server, room)
            .zip(shows.into_iter().cycle())
            .filter_map(|(stamped, show)| match show {
                Show::Disclosed => Some(stamped.disclosed()),
                Show::Withheld => Some(stamped.withheld()),
                Show::LeftOut => None,
            })
            .collect();
        for trick in tricks {
            play_trick(&server, &mut run, trick);
        }
        let links = server.check(&run);
        prop_assert_eq!(links.len(), run.len());

        let committed = committed(&server);
        // The room and the highest place of what is ours so far.
        let mut past: Option<([u8; 32], u64)> = None;
        for (link, claim) in links.iter().zip(&run) {
            let honest = server.stamped.iter().find(|stamped| {
                stamped.context.to_bytes()[..] == claim.context && stamped.stamp[..] == claim.stamp
            });
            let honest = honest.filter(|stamped| server.keys.get(stamped.context.key_id).is_some());
            prop_assert_eq!(link.context.as_ref(), honest.map(|stamped| &stamped.context));

            // First law.
            if link.verdict == Verdict::Proven {
                let context = link.context.as_ref().unwrap();
                let sender = (context.sender_account, context.sender_device);
                let said = &claim.content.as_ref().unwrap().1;
                let told = (context.room, context.server_seq, sender.0, sender.1, said.as_slice());
                prop_assert!(committed.contains(&told), "proven, and nobody said it: {:?}", told);
            }
            let Some(Stamped { context, said, .. }) = honest else {
                prop_assert!(matches!(link.verdict, Verdict::Unproven(_)));
                prop_assert_eq!(link.gap, 0);
                continue;
            };

            // Second law.
            let (at, last) = *past.get_or_insert((context.room, context.server_seq - 1));
            let in_order = context.room == at && context.server_seq > last;
            let in_time = server.now_ms <= context.accepted_ms + REPORTING_WINDOW_MS;
            let unaltered = said.is_some() && claim.content == *said;
            prop_assert_eq!(link.verdict == Verdict::Proven, in_order && in_time && unaltered);
            let withheld = in_order && in_time && claim.content.is_none();
            prop_assert_eq!(link.verdict == Verdict::Withheld, withheld);
            if in_order {
                prop_assert_eq!(link.gap, context.server_seq - last - 1);
                past = Some((at, context.server_seq));
            }
            // What was not said is told from what was not shown.
            if in_order && in_time && claim.content.is_some() && context.franking_tag == ZERO_TAG {
                prop_assert_eq!(link.verdict, Verdict::Unproven(Fault::Nothing));
            }
        }
    }

    /// No bytes make it panic, and none are ours.
    #[test]
    fn random_bytes_prove_nothing(
        run in vec((vec(any::<u8>(), 0..200), vec(any::<u8>(), 0..40), any::<Option<([u8; 16], Vec<u8>)>>()), 0..8),
    ) {
        let claims = run.into_iter().map(|(mut context, stamp, content)| {
            // Most reach the parser's inside.
            if context.len() > 150 {
                context.resize(190, 0);
                context[..6].copy_from_slice(&[0, 1, 0, 0, 0, 1]);
            }
            Claim { context, stamp, content }
        });
        for link in Server::new().check(&claims.collect::<Vec<_>>()) {
            prop_assert!(link.context.is_none() && matches!(link.verdict, Verdict::Unproven(_)));
        }
    }
}
