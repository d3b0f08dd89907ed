//! Days and times from milliseconds since 1970, without a clock and without time zones: always UTC.

/// Year, month (1 to 12) and day (1 to 31).
pub(crate) fn civil(ms: u64) -> (u64, usize, u64) {
    // Years that begin in March, in eras of 400 years: a leap day is then always a year's last.
    let days = ms / 86_400_000 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let january = month >= 10;
    let month = if january { month - 9 } else { month + 3 };
    (era * 400 + year + u64::from(january), month as usize, of_month)
}

/// A time in milliseconds since 1970 as people and XML write it: `2026-11-22T04:48:34Z`.
pub fn utc(ms: u64) -> String {
    let (year, month, day) = civil(ms);
    let second = ms / 1000 % 86_400;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_795_322_914, "2026-11-22T04:48:34Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(seconds * 1000 + 7), text);
        }
    }
}
