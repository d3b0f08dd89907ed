//! A report as it arrives: every message that it calls proven is one that our key stamped, in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_content::Content;
use zegel_franking::{Claimed, Opened, StampKey, StampKeys, Verdict, check_report, verify_stamp, verify_tag};
use zegel_proto::{Message, v1};

/// When it arrives, in milliseconds since 1970.
const NOW_MS: u64 = 1_700_000_600_000;

fuzz_target!(|bytes: &[u8]| {
    let Ok(report) = v1::Report::decode(bytes) else { return };
    // A content that cannot be read holds no salt; it is checked with one nevertheless, for the fuzzer's sake.
    let salt = |content: &[u8]| Content::decode(content).map_or([1; 16], |content| content.salt);
    let salts: Vec<[u8; 16]> = report.run.iter().map(|disclosed| salt(&disclosed.content)).collect();
    let claimed = |(disclosed, salt)| -> Claimed<'_> {
        let disclosed: &v1::Disclosed = disclosed;
        let (context, stamp): (&[u8], &[u8]) =
            disclosed.stamped.as_ref().map_or((&[], &[]), |stamped| (&stamped.context, &stamped.stamp));
        let opened = Opened { salt, bytes: &disclosed.content };
        Claimed { context, stamp, content: (!disclosed.content.is_empty()).then_some(opened) }
    };
    let run: Vec<Claimed<'_>> = report.run.iter().zip(&salts).map(claimed).collect();

    let keys = StampKeys::new(StampKey::new([9; 32]), NOW_MS);
    let links = check_report(&keys, NOW_MS, &run);
    assert_eq!(links.len(), run.len(), "a link for each");
    let mut last = None;
    for (link, claimed) in links.iter().zip(&run) {
        let unproven = matches!(link.verdict, Verdict::Unproven(_));
        let Some(context) = &link.context else {
            assert!(unproven && link.gap == 0, "nothing is said for what is not ours");
            continue;
        };
        let stamp = claimed.stamp.try_into().expect("a stamp of ours is a stamp");
        let key = keys.get(context.key_id).expect("it is ours");
        assert!(verify_stamp(key, context, stamp), "the stamp is ours");
        if unproven {
            continue;
        }
        assert!(last < Some(context.server_seq), "in rising order");
        last = Some(context.server_seq);
        let proven = claimed
            .content
            .is_some_and(|opened| verify_tag(opened.salt, opened.bytes, &context.franking_tag));
        assert_eq!(link.verdict == Verdict::Proven, proven, "the sender committed to it");
        assert_eq!(link.verdict == Verdict::Withheld, claimed.content.is_none());
    }
});
