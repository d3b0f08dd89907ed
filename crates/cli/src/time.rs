//! Times as RFC 3339.

use jiff::{Timestamp, tz::TimeZone};

/// This device's clock, milliseconds since 1970.
pub fn now() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default()
}

/// In UTC with milliseconds, for programs; `None` for 0 and for what is no time.
pub fn utc(ms: u64) -> Option<String> {
    Some(format!("{:.3}", timestamp(ms)?))
}

/// In the person's own time zone with seconds; `None` as for [`utc`].
pub fn local(ms: u64) -> Option<String> {
    let zoned = timestamp(ms)?.to_zoned(TimeZone::system());
    Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

/// The hour that this device's clock shows, 0 to 23.
pub fn hour() -> u32 {
    u32::from(Timestamp::now().to_zoned(TimeZone::system()).hour().unsigned_abs())
}

fn timestamp(ms: u64) -> Option<Timestamp> {
    let ms = i64::try_from(ms).ok().filter(|ms| *ms != 0)?;
    Timestamp::from_millisecond(ms).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(utc(1_577_836_800_007).as_deref(), Some("2020-01-01T00:00:00.007Z"));
        assert_eq!(utc(1_577_836_800_000).as_deref(), Some("2020-01-01T00:00:00.000Z"));
        let read_back: Timestamp = local(1_577_836_800_000).expect("a time").parse().expect("RFC 3339");
        assert_eq!(read_back.as_millisecond(), 1_577_836_800_000);
        assert_eq!((utc(0), utc(u64::MAX), local(1 << 60)), (None, None, None));
    }
}
