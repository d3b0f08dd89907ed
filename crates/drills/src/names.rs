//! Names that look like others.

use zegel_proto::Code;

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Keys, Stage, Stranger, code_of},
};

/// See the module.
pub const DRILLS: &[Drill] = &[CONFUSABLE];

/// Handles that look like somebody's.
const CONFUSABLE: Drill = Drill {
    name: "confusable-handle",
    attacker: Attacker::Stranger,
    attempt: "Somebody registers a handle that a hurried reader takes for Caroline's.",
    defence: "Handles that look alike are one: only the first is ever given out, and none outside plain letters.",
    caught: "at once",
    run: |stage| Box::pin(confusable(stage)),
};

async fn confusable(stage: &Stage) -> Verdict {
    stage.person("caroline").await?;
    let alike = [
        ("caroline", Code::HandleTaken),
        ("car0line", Code::HandleTaken),
        ("caro1ine", Code::HandleTaken),
        ("caroiine", Code::HandleTaken),
        ("car.oline", Code::HandleTaken),
        ("caro-line", Code::HandleTaken),
        ("car_oline", Code::HandleTaken),
        ("Caroline", Code::HandleForm),
        ("c\u{430}roline", Code::HandleForm),
        ("caroline\u{200b}", Code::HandleForm),
    ];
    for (handle, code) in alike {
        let mut stranger = Stranger::connect(stage.address()).await?;
        let answer = stranger.register(&Keys::new(handle)).await?;
        held(code_of(&answer) == Some(code), format!("{handle:?} was answered with {answer:?}"))?;
    }
    let mut other = Stranger::connect(stage.address()).await?;
    let answer = other.register(&Keys::new("carolien")).await?;
    carried_out(code_of(&answer).is_none(), format!("registering another name: {answer:?}"))?;
    Ok(format!("{} look-alikes refused as HandleTaken or HandleForm", alike.len()))
}
