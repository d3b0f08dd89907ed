//! What is not caught, with why (DESIGN.md section 10).

use crate::drill::NotCaught;

/// All of it.
pub const ALL: &[NotCaught] = &[
    NotCaught {
        name: "watching live",
        attacker: "operator, state",
        attempt: "Change the running server so that it notes who connects from where, when, and which addresses are used together.",
        why: "The store does not keep it, and nothing can prove that it was not watched. What was said stays sealed.",
    },
    NotCaught {
        name: "reading the first words to a ghost",
        attacker: "operator, state",
        attempt: "Publish or promise a false account under Bob's handle, and read what somebody writes to it who had never met him.",
        why: "A directory makes a lie visible, not impossible. Bob's client sees it when it next looks at its entry, or the other's when the promise is due, some seconds later; what was written until then is lost to the ghost, and the lie stays in the directory as evidence. A service that also stops the victim's directory and the clock that it tells wins ten minutes (`endless-promise`), or less if a message of somebody arrives who sees a newer directory (`frozen-view`).",
    },
    NotCaught {
        name: "a world of one's own",
        attacker: "operator, state",
        attempt: "Show one false directory, from the first day on, to newcomers and to everybody whom they will ever write to, so that all that they compare agrees.",
        why: "Who has only ever met the operator can hold it against nothing. The first sealed message of anybody from outside tells (`split-view`), and so does whatever is compared by another way: a number (`verify`), or the directory's root (`directory show`) with an auditor's.",
    },
    NotCaught {
        name: "a restore that was none",
        attacker: "operator, state",
        attempt: "Go back to an older directory, publish other things, and say that a backup had to be restored.",
        why: "Every client and auditor that saw the later epochs says that the directory went back (`directory-rollback`), and none can tell an honest restore from another: both take back what was signed. Whether to begin anew (`directory trust-anew`) is for people to decide who have asked what happened, and compared numbers with those who matter.",
    },
    NotCaught {
        name: "joining a fork again",
        attacker: "operator",
        attempt: "Show somebody another history for a while, and then go on with one root for all that names the last root of each: one as the root before it, the other as the one that is skipped to.",
        why: "A client walks the short way down to the root that it saw, and so one side only. Who compares while it lasts finds out (`split-view`); afterwards it is for the auditors, who follow every root and hold both names against what they saw.",
    },
    NotCaught {
        name: "a directory that does not answer",
        attacker: "operator, state, network",
        attempt: "Answer nothing any more that is asked about the directory.",
        why: "Nothing false is taken, and nobody new can be written to; conversations go on (`silent-directory`). Who waits for a promise, or is never shown their own entry, is told after ten minutes; what was not asked about before stays unknown.",
    },
    NotCaught {
        name: "cutting somebody off",
        attacker: "operator, state, network",
        attempt: "Keep all mail and all directory news from somebody for good, or keep two people apart for ever so that they never compare what they saw.",
        why: "Silence looks like a broken line. Each of them sees that nothing comes; the first sealed message that gets through tells.",
    },
    NotCaught {
        name: "stopping the service",
        attacker: "operator, state, network",
        attempt: "Refuse service, to one person or to all.",
        why: "Whoever runs a wire can cut it. It shows at once, and opens nothing.",
    },
    NotCaught {
        name: "dud stamps",
        attacker: "operator",
        attempt: "Give out stamps that it will later not recognise, or date them as it likes, so as to refuse reports.",
        why: "Receivers check what a stamp says, not its MAC: a signature would let anyone prove what was said to anyone. \"Proven\" means that an authenticated device of that account committed to this content; time and place are the service's word.",
    },
    NotCaught {
        name: "an unlocked device",
        attacker: "thief, state",
        attempt: "Take a device that is unlocked, or copy its profile, and read what is on it and what comes until it is revoked.",
        why: "Whoever holds the keys is the person, for software. A device that they add is told to its owner (`copied-profile`), and a revoked one never returns (`revoked-device-returns`).",
    },
    NotCaught {
        name: "a member who tells",
        attacker: "member",
        attempt: "Show, copy or photograph what they may read.",
        why: "The receiver decides. No cryptography takes a memory away.",
    },
    NotCaught {
        name: "a poisoned group",
        attacker: "member",
        attempt: "Make a change that the others refuse, so that the group cannot go on.",
        why: "They are told, where it can be known by whom, and found the group anew without them; nothing of it was read.",
    },
    NotCaught {
        name: "listening to a quiet service",
        attacker: "stranger",
        attempt: "Introduce yourself to somebody on a service that does next to nothing else, and measure for a while whether it does something.",
        why: "What is dropped and what is delivered are answered alike (`timed-introduction`). But a device that is connected takes what is delivered, and acknowledges it: some tenths of a second later, at a moment of chance, and hidden by what everybody else does there. With nobody else there it may show; and if it does not, the device may just as well have been away.",
    },
    NotCaught {
        name: "counts of waiting mail",
        attacker: "thief",
        attempt: "Compare, on a seized disk, how the numbers of entries that wait for absent people moved within an hour.",
        why: "Entries are sealed, padded and without order, but they are there. Names, senders, groups and content are not.",
    },
    NotCaught {
        name: "a changed app",
        attacker: "state, operator of an app store or of the browser app",
        attempt: "Give one person another program.",
        why: "A program that is replaced can do anything its user can. Published hashes of reproducible builds make it visible, not impossible.",
    },
    NotCaught {
        name: "names that only look alike to some",
        attacker: "stranger",
        attempt: "Register a handle that is honestly another one, such as a misspelling.",
        why: "Look-alikes are one (`confusable-handle`); a different word is a different person. An introduction says how old the account is.",
    },
    NotCaught {
        name: "a service that proves what it likes",
        attacker: "operator, whoever holds the key file",
        attempt: "Forge a stamp, or write \"proven\" beside what nobody sent, and sign the evidence.",
        why: "\"Proven\" is worth the service's word, and evidence says so of itself: stamps convince the service and nobody else, which keeps messages deniable toward the world. Of a proven message anyone can compute the sender's commitment to the content again (`edited-evidence`), and not whose commitment it was.",
    },
    NotCaught {
        name: "a report that is ignored",
        attacker: "operator, somebody at the desk",
        attempt: "Take a report and do nothing, or dismiss what is true.",
        why: "Nobody can be made to act. The reporter sees the case, its state and its outcome, and every decision is in the log with who made it; an appeal is for the person whom a decision is about.",
    },
    NotCaught {
        name: "a photograph of the screen",
        attacker: "somebody at the desk",
        attempt: "Photograph or copy by hand what a case shows, or tell of it.",
        why: "Whoever has to judge has to read. The log says who looked into which case and when; roles keep those out who need not (`curious-auditor`).",
    },
    NotCaught {
        name: "a log from the start",
        attacker: "operator, whoever holds data folder and key file",
        attempt: "Write the desk's log anew from its first line and sign it.",
        why: "It is whole by itself. Only an older export shows it (`rewritten-log`): auditors should export and keep it often, elsewhere.",
    },
    NotCaught {
        name: "guessing who reported",
        attacker: "member",
        attempt: "Guess, from what a decision is about, who reported it.",
        why: "A statement names no reporter and quotes no message; but whoever said a thing to one person only knows who heard it.",
    },
    NotCaught {
        name: "playing the abuser",
        attacker: "member",
        attempt: "Write threats from a second account of one's own, and report them.",
        why: "They are proven, and against that second account: a stamp names the account that sent it, and in a case about another nothing of it counts (`third-person-report`). A name that looks alike is refused (`confusable-handle`).",
    },
];
